//! Replies that conform are read as the crate `oauth2` reads them; the others are read, too.

use super::*;
