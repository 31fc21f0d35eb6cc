// Where a bucket is: its URL and the region that requests are signed for.

export interface S3Place {
  bucket: string;
  /** `host` or `host:port`; "" for AWS's own of the region. */
  endpoint: string;
  /** "" for what the endpoint's name says. */
  region: string;
  insecure: boolean;
  forcePathStyle: boolean;
  /** 0: by the endpoint's name; 1: bucket in the host name; 2: in the path. */
  bucketLookupType: number;
  dualStack: boolean;
}

export interface S3Address {
  /** Of the bucket, with a "/" at its end. */
  url: string;
  region: string;
}

const regionDefault = "us-east-1";
/** A bucket's name that can stand before a host's. One with dots does not fit the host's certificate. */
const hostPart = /^[a-z0-9][a-z0-9-]*$/;

export function s3Address(place: S3Place): S3Address {
  const region = place.region || regionOf(place.endpoint);
  const scheme = place.insecure ? "http" : "https";
  const host = hostOf(place, region);
  const url = isVirtualHost(place, host)
    ? `${scheme}://${place.bucket}.${host}/`
    : `${scheme}://${host}/${place.bucket}/`;
  return { url, region };
}

function hostOf({ endpoint, dualStack }: S3Place, region: string): string {
  const isAws = endpoint === "" || isAwsHost(endpoint);
  const china = region.startsWith("cn-") ? ".cn" : "";
  if (isAws && dualStack) return `s3.dualstack.${region}.amazonaws.com${china}`;
  return endpoint || `s3.${region}.amazonaws.com${china}`;
}

function isVirtualHost({ bucket, forcePathStyle, bucketLookupType }: S3Place, host: string): boolean {
  if (forcePathStyle || bucketLookupType === 2) return false;
  return bucketLookupType === 1 || (isAwsHost(host) && hostPart.test(bucket));
}

function isAwsHost(host: string): boolean {
  return /(^|\.)amazonaws\.com(\.cn)?(:\d+)?$/.test(host);
}

/** `s3.eu-west-1.amazonaws.com`, `s3-eu-west-1.amazonaws.com`, `s3.dualstack.eu-west-1.amazonaws.com` */
function regionOf(endpoint: string): string {
  const found = /^s3[.-](?:dualstack\.|fips\.)?([a-z]{2}(?:-[a-z]+)+-\d)\.amazonaws\.com/.exec(endpoint);
  return found?.[1] ?? regionDefault;
}
