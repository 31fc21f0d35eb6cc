import { expect, test } from "bun:test";
import { type S3Place, s3Address } from "./s3_address.ts";

const place: S3Place = {
  bucket: "traces",
  endpoint: "",
  region: "",
  insecure: false,
  forcePathStyle: false,
  bucketLookupType: 0,
  dualStack: false,
};

test("s3Address() puts the bucket where the service expects it, and knows the regions of AWS", () => {
  const aws = "s3.eu-west-1.amazonaws.com";
  const cases: [changes: Partial<S3Place>, url: string, region: string][] = [
    [{ endpoint: "minio:9000", insecure: true }, "http://minio:9000/traces/", "us-east-1"],
    [{ endpoint: "minio:9000", region: "here" }, "https://minio:9000/traces/", "here"],
    [{ endpoint: "minio:9000", bucketLookupType: 1 }, "https://traces.minio:9000/", "us-east-1"],
    [{ endpoint: aws }, `https://traces.${aws}/`, "eu-west-1"],
    [{ region: "eu-west-1" }, `https://traces.${aws}/`, "eu-west-1"],
    [{ endpoint: aws, forcePathStyle: true }, `https://${aws}/traces/`, "eu-west-1"],
    [{ endpoint: aws, bucketLookupType: 2 }, `https://${aws}/traces/`, "eu-west-1"],
    [{ endpoint: aws, bucket: "my.traces" }, `https://${aws}/my.traces/`, "eu-west-1"],
    [{ endpoint: aws, dualStack: true }, "https://traces.s3.dualstack.eu-west-1.amazonaws.com/", "eu-west-1"],
    [{ endpoint: "s3.amazonaws.com" }, "https://traces.s3.amazonaws.com/", "us-east-1"],
    [{ region: "cn-north-1" }, "https://traces.s3.cn-north-1.amazonaws.com.cn/", "cn-north-1"],
    [
      { endpoint: "s3.us-gov-west-1.amazonaws.com" },
      "https://traces.s3.us-gov-west-1.amazonaws.com/",
      "us-gov-west-1",
    ],
    [{ endpoint: "notamazonaws.com" }, "https://notamazonaws.com/traces/", "us-east-1"],
  ];
  for (const [changes, url, region] of cases) {
    expect(s3Address({ ...place, ...changes }), JSON.stringify(changes)).toEqual({ url, region });
  }
});
