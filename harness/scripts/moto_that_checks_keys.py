"""Starts moto_server with IAM and STS refusing keys that are wrong, as the services do.

    python3 moto_that_checks_keys.py -H 127.0.0.1 -p PORT

moto can check signatures and rights, for all services or for none. Here it does so for IAM and STS alone, and
not for requests whose access key id is OPERATOR: those are the test's own. Two differences from the services
are evened out: an inactive key is refused, and the error is in the form of the query protocol, without which no
SDK finds its code.

What is left of moto's manners: a policy counts only where its Resource is "*", a session token is not looked at,
and a new key works at once.
"""

import moto.core.exceptions as exceptions
from moto import settings
from moto.core.authorization import ActionAuthenticatorMixin
from moto.iam import access_control
from moto.server import main

settings.INITIAL_NO_AUTH_ACTION_COUNT = 0
check = ActionAuthenticatorMixin._authenticate_and_authorize_action
find_key = access_control.IAMUserAccessKey.__init__


def check_iam_and_sts(self, iam_request_cls, resource="*"):
    authorization = self.headers.get("Authorization", "")
    scope = authorization.partition("Credential=")[2].partition(",")[0].split("/")
    if len(scope) == 5 and scope[3] in ("iam", "sts") and scope[0] != "OPERATOR":
        check(self, iam_request_cls, resource)


def find_active_key(self, *args, **kwargs):
    find_key(self, *args, **kwargs)
    for user in self.backend.list_users("/", None, None):
        for key in user.access_keys:
            if key.access_key_id == self._access_key_id and key.status != "Active":
                raise access_control.CreateAccessKeyFailure(reason="InvalidId")


def in_the_form_of_the_protocol(error):
    make = error.__init__

    def init(self, *args, **kwargs):
        make(self, *args, **kwargs)
        self.description = (
            f"<ErrorResponse><Error><Type>Sender</Type><Code>{self.error_type}</Code>"
            f"<Message>{self.message}</Message></Error></ErrorResponse>"
        )

    error.__init__ = init


ActionAuthenticatorMixin._authenticate_and_authorize_action = check_iam_and_sts
access_control.IAMUserAccessKey.__init__ = find_active_key
for refusal in ("SignatureDoesNotMatchError", "InvalidClientTokenIdError", "AccessDeniedError"):
    in_the_form_of_the_protocol(getattr(exceptions, refusal))

if __name__ == "__main__":
    main()
