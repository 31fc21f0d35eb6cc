// What storage.trace.s3 must say for backend s3, beyond what each of its keys takes.
import type { S3Config } from "./config.ts";
import { isHost } from "./endpoint.ts";
import { checkPrefix } from "./prefix.ts";

const mib = 1024 * 1024;
/** What S3 takes as the size of a part. */
const partBytesMin = 5 * mib;
const partBytesMax = 5 * 1024 * mib;
const encryptionTypes = ["SSE-S3", "SSE-KMS", "SSE-C"];
const encryptionKeyBytes = 32;
/** What may stand in the name of a header. */
const headerName = /^[\w.!#$%&'*+^`|~-]+$/;
/** What of a header's text is signed as it is sent. */
const headerText = /^[ -~]*$/;

/** @param report takes what is wrong, by the key's name within storage.trace.s3 */
export function checkS3(s3: S3Config, report: (key: string, message: string) => void): void {
  if (s3.bucket === "") report("bucket", "must name the bucket that backend s3 keeps blocks in");
  else if (!/^\w[\w.-]*$/.test(s3.bucket)) {
    report(
      "bucket",
      `expected the name of a bucket, found "${s3.bucket}"; what is within it goes into prefix`,
    );
  }
  checkPrefix(s3.prefix, report);
  if (s3.endpoint === "" && s3.region === "") {
    report("endpoint", "must be given, such as s3.eu-west-1.amazonaws.com or minio:9000; or region, for AWS");
  }
  if (s3.endpoint !== "" && !isHost(s3.endpoint)) {
    const message = `expected a host or host:port without http:// or a path, found "${s3.endpoint}"`;
    report("endpoint", `${message}; insecure: true stands for http`);
  }
  if ((s3.access_key === "") !== (s3.secret_key === "")) {
    const [given, missing] =
      s3.access_key === "" ? ["secret_key", "access_key"] : ["access_key", "secret_key"];
    report(missing!, `must be given with ${given}, or neither of them`);
  }
  if (s3.session_token !== "" && s3.access_key === "") {
    report("session_token", "belongs to an access_key, which is not given");
  }
  if (s3.part_size !== 0 && (s3.part_size < partBytesMin || s3.part_size > partBytesMax)) {
    report("part_size", `must be 0 or from 5MiB to 5GiB, as S3 wants it, found ${s3.part_size} bytes`);
  }
  for (const [name, value] of Object.entries(s3.metadata)) {
    if (!headerName.test(name)) report("metadata", `"${name}" can't be the name of a header`);
    else if (!headerText.test(value)) report("metadata", `${name} must be of printable ASCII characters`);
  }
  // Without the values: one of them is a secret.
  const { region, access_key, session_token, storage_class } = s3;
  for (const [key, value] of Object.entries({ region, access_key, session_token, storage_class })) {
    if (!headerText.test(value)) report(key, "must be of printable ASCII characters");
  }
  checkEncryption(s3, report);
}

function checkEncryption({ sse, insecure }: S3Config, report: (key: string, message: string) => void): void {
  if (sse.type !== "" && !encryptionTypes.includes(sse.type)) {
    report("sse.type", `expected one of ${encryptionTypes.join(", ")}, found "${sse.type}"`);
  }
  if (!headerText.test(sse.kms_key_id)) {
    report("sse.kms_key_id", "must be of printable ASCII characters");
  }
  if (sse.type === "SSE-KMS" && sse.kms_encryption_context !== "" && !isJson(sse.kms_encryption_context)) {
    report("sse.kms_encryption_context", "expected JSON");
  }
  if (sse.type !== "SSE-C") return;
  if (Buffer.byteLength(sse.encryption_key) !== encryptionKeyBytes) {
    report("sse.encryption_key", `must be ${encryptionKeyBytes} bytes long for SSE-C`);
  }
  if (insecure) report("sse.type", "SSE-C sends the key along, which takes https: insecure must be false");
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
