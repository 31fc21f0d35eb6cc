// A certificate that vouches for itself, for tests of TLS.
import { spawnSync } from "node:child_process";
import { join } from "node:path";

/** PEM files. */
export interface CertificateFiles {
  cert: string;
  key: string;
}

/** @param names as openssl has them: "DNS:storage.test", "IP:127.0.0.1" */
export function certificateIn(folder: string, names: string): CertificateFiles {
  const files = { cert: join(folder, "cert.pem"), key: join(folder, "key.pem") };
  const kind = "-x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=storage.test";
  // No authority, or Deno takes it for nothing else.
  const extensions = ["-addext", `subjectAltName=${names}`, "-addext", "basicConstraints=critical,CA:FALSE"];
  const flags = ["req", ...kind.split(" "), ...extensions, "-keyout", files.key, "-out", files.cert];
  const made = spawnSync("openssl", flags);
  if (made.status !== 0) throw new Error(`openssl: ${made.stderr}`);
  return files;
}
