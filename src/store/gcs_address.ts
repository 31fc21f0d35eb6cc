// Where the objects of a bucket of Google Cloud Storage are: URLs of its JSON API.

export interface GcsPlace {
  bucket: string;
  /** URL of the API, as Google's clients take it: with or without "/storage/v1/" at its end; "" for Google's own. */
  endpoint: string;
}

export interface GcsAddress {
  /** Of all objects of the bucket, without a "/" at its end. */
  objects: string;
  /** Where objects are sent to. */
  uploads: string;
}

const endpointDefault = "https://storage.googleapis.com";

export function gcsAddress({ bucket, endpoint }: GcsPlace): GcsAddress {
  const base = (endpoint || endpointDefault).replace(/\/+$/, "").replace(/\/storage\/v1$/, "");
  const objects = `storage/v1/b/${encodeURIComponent(bucket)}/o`;
  return { objects: `${base}/${objects}`, uploads: `${base}/upload/${objects}` };
}
