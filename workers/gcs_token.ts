// The worker thread that asks for a token of Google Cloud Storage, once.

import { parentPort } from "node:worker_threads";
import { findGcsToken } from "../src/store/gcs_find_token.ts";

parentPort?.postMessage(await findGcsToken());
