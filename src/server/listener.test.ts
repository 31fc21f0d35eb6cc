import { afterEach, describe, expect, test } from "bun:test";
import http2 from "node:http2";
import net, { type Socket } from "node:net";
import { networkInterfaces } from "node:os";
import { type Handler, Listener, type ListenerOptions } from "./listener.ts";

const patient = { headerMsMax: 60_000, idleMsMax: 60_000, http2IdleMsMax: 60_000, writeMsMax: 60_000 };
const started: Listener[] = [];
afterEach(async () => {
  await Promise.all(started.splice(0).map((listener) => listener.stop(0)));
});

async function start(handler: Handler, options: Partial<ListenerOptions> = {}): Promise<Listener> {
  const all = {
    host: "127.0.0.1",
    port: 0,
    times: patient,
    connectionsMax: 100,
    streamsMax: 100,
    handler,
    ...options,
  };
  const listener = await Listener.start(all);
  started.push(listener);
  return listener;
}

/** Says what it was asked, and by which protocol. */
const echo: Handler = (request, response) => {
  let length = 0;
  request.on("data", (chunk: Buffer) => {
    length += chunk.length;
  });
  request.on("end", () => response.end(`${request.httpVersion} ${request.method} ${request.url} ${length}`));
};

/** A connection that keeps what it receives. */
async function connect(
  listener: Listener,
): Promise<Socket & { received: () => string; gone: Promise<void> }> {
  const socket = net.connect(listener.port, "127.0.0.1");
  let received = "";
  socket.on("data", (data) => {
    received += data.toString("latin1");
  });
  socket.on("error", () => {});
  const gone = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  await new Promise((resolve) => socket.once("connect", resolve));
  return Object.assign(socket, { received: () => received, gone });
}

/** A request by HTTP/2; gives status and body, or "closed" if the stream ended without an answer. */
function ask(session: http2.ClientHttp2Session, path: string, body = ""): Promise<string> {
  const stream = session.request({ ":path": path, ":method": "POST" });
  let answer = "";
  stream.setEncoding("utf8").on("data", (data) => {
    answer += data;
  });
  stream.on("error", () => {});
  stream.end(body);
  return new Promise((resolve) => stream.once("close", () => resolve(answer || "closed")));
}

describe("Listener", () => {
  test("serves HTTP/1.1 and HTTP/2 on one port", async () => {
    const listener = await start(echo);
    const url = `http://127.0.0.1:${listener.port}`;
    expect(await (await fetch(`${url}/one`)).text()).toBe("1.1 GET /one 0");
    expect(await (await fetch(`${url}/two`, { method: "PUT", body: "abc" })).text()).toBe("1.1 PUT /two 3");
    const session = http2.connect(url);
    expect(await ask(session, "/three", "x".repeat(200_000))).toBe("2.0 POST /three 200000");
    session.close();
  });

  test("tells the protocols apart however the first bytes come", async () => {
    const listener = await start(echo);
    const slow = await connect(listener);
    slow.setNoDelay(true);
    for (const piece of ["P", "R", "OPFIND /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"]) {
      slow.write(piece);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await slow.gone;
    expect(slow.received()).toEndWith("1.1 PROPFIND /a 0");
    // The preface and an empty SETTINGS frame, RFC 9113 §3.4.
    const preface = Buffer.concat([
      Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
      Buffer.from("000000040000000000", "hex"),
    ]);
    const pieces = await connect(listener);
    pieces.setNoDelay(true);
    for (const at of [0, 1, 3]) {
      pieces.write(preface.subarray(at, at === 3 ? undefined : at === 1 ? 3 : 1));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await until(() => pieces.received().length >= 9);
    expect(pieces.received().charCodeAt(3)).toBe(4); // SETTINGS
    pieces.destroy();
  });

  test("keeps a connection for the next request, and serves what was sent ahead", async () => {
    const listener = await start(echo);
    const socket = await connect(listener);
    socket.write("GET /a HTTP/1.1\r\nHost: x\r\n\r\nGET /b HTTP/1.1\r\nHost: x\r\n\r\n");
    await until(() => socket.received().includes("/b"));
    socket.write("GET /c HTTP/1.1\r\nHost: x\r\n\r\n");
    await until(() => socket.received().includes("GET /c"));
    expect(listener.connections).toBe(1);
    socket.destroy();
    await until(() => listener.connections === 0);
  });

  test("answers what is no HTTP with 400, and too long headers with 431", async () => {
    const listener = await start(echo);
    const tls = await connect(listener);
    tls.write(Buffer.from("1603010200010001fc0303", "hex"));
    await tls.gone;
    expect(tls.received()).toStartWith("HTTP/1.1 400 ");
    const long = await connect(listener);
    long.write(`GET / HTTP/1.1\r\nHost: x\r\nX: ${"x".repeat(70_000)}\r\n\r\n`);
    await long.gone;
    expect(long.received()).toStartWith("HTTP/1.1 431 ");
  });

  test("closes connections that don't come to a request", async () => {
    const listener = await start(echo, { times: { ...patient, headerMsMax: 40 } });
    const silent = await connect(listener);
    const half = await connect(listener);
    half.write("GET / HTTP/1.1\r\nHost: x\r\nX-Slow:");
    const preface = await connect(listener);
    preface.write("PRI");
    await Promise.all([silent.gone, half.gone, preface.gone]);
    expect(silent.received() + half.received() + preface.received()).toBe("");
  });

  test("closes idle connections, and none that has a request", async () => {
    let finish = () => {};
    const slow: Handler = (request, response) => {
      if (request.url !== "/slow") return echo(request, response);
      finish = () => response.end("at last");
    };
    const listener = await start(slow, { times: { ...patient, idleMsMax: 40, http2IdleMsMax: 40 } });
    const busy = http2.connect(`http://127.0.0.1:${listener.port}`);
    const answer = ask(busy, "/slow");
    const idle = await connect(listener);
    idle.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    await idle.gone;
    expect(idle.received()).toInclude("200 OK");
    const unused = http2.connect(`http://127.0.0.1:${listener.port}`);
    await new Promise((resolve) => unused.once("close", resolve));
    finish();
    expect(await answer).toBe("at last");
    await new Promise((resolve) => busy.once("close", resolve));
  });

  test("closes a connection whose client doesn't read its answer", async () => {
    let ended = false;
    const large: Handler = (_, response) => {
      response.once("close", () => {
        ended = true;
      });
      response.end(Buffer.alloc(64 << 20));
    };
    const listener = await start(large, { times: { ...patient, writeMsMax: 60 } });
    const socket = await connect(listener);
    socket.pause();
    socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    await until(() => ended);
    expect(listener.connections).toBe(0);
    socket.destroy();
  });

  test("takes no more connections than allowed", async () => {
    const listener = await start(echo, { connectionsMax: 2 });
    const [first, second] = [await connect(listener), await connect(listener)];
    await until(() => listener.connections === 2);
    const third = await connect(listener);
    await third.gone;
    first.destroy();
    await until(() => listener.connections === 1);
    const fourth = await connect(listener);
    fourth.write("GET /4 HTTP/1.1\r\nHost: x\r\n\r\n");
    await until(() => fourth.received().includes("GET /4"));
    second.destroy();
    fourth.destroy();
  });

  test("closes a connection that begins requests only to reset them", async () => {
    const listener = await start(() => {});
    const session = http2.connect(`http://127.0.0.1:${listener.port}`);
    session.on("error", () => {});
    let open = true;
    session.once("close", () => {
      open = false;
    });
    for (let sent = 0; open && sent < 5000; sent += 50) {
      for (let i = 0; i < 50 && open; i++) {
        const stream = session.request({ ":path": "/" });
        stream.on("error", () => {});
        stream.close(http2.constants.NGHTTP2_CANCEL);
      }
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await until(() => !open);
    expect(listener.connections).toBe(0);
  });

  test("lets requests end when it stops, and takes no new ones", async () => {
    const held: (() => void)[] = [];
    const hold: Handler = (_, response) => held.push(() => response.end("done"));
    const listener = await start(hold);
    const idle = await connect(listener);
    const one = await connect(listener);
    one.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    const session = http2.connect(`http://127.0.0.1:${listener.port}`);
    const two = ask(session, "/");
    await until(() => held.length === 2);
    const goaway = new Promise((resolve) => session.once("goaway", resolve));
    const stopped = listener.stop(5000);
    await Promise.all([idle.gone, goaway]);
    const refused = net.connect(listener.port, "127.0.0.1");
    await new Promise((resolve) => refused.once("error", resolve));
    for (const finish of held) finish();
    expect(await two).toBe("done");
    await stopped;
    await one.gone;
    expect(one.received()).toInclude("done");
    expect(listener.connections).toBe(0);
  });

  test("ends requests that take too long when it stops", async () => {
    const listener = await start(() => {});
    const socket = await connect(listener);
    socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    const session = http2.connect(`http://127.0.0.1:${listener.port}`);
    session.on("error", () => {});
    const answer = ask(session, "/");
    await until(() => listener.connections === 2);
    await listener.stop(20);
    expect(await answer).toBe("closed");
    await socket.gone;
  });

  test("listens on every interface without a host", async () => {
    const { port } = await start(echo, { host: "" });
    expect(await (await fetch(`http://127.0.0.1:${port}/v4`)).text()).toBe("1.1 GET /v4 0");
    const v6 = Object.values(networkInterfaces()).some((all) =>
      all?.some(({ address }) => address === "::1"),
    );
    if (v6) expect(await (await fetch(`http://[::1]:${port}/v6`)).text()).toBe("1.1 GET /v6 0");
  });

  test("says which address it can't listen on", async () => {
    const { port } = await start(echo);
    await expect(start(echo, { port })).rejects.toThrow(`listener: can't listen on 127.0.0.1:${port}: `);
  });
});

/** Waits, a turn of the event loop at a time. */
async function until(condition: () => boolean): Promise<void> {
  const end = performance.now() + 4000;
  while (!condition()) {
    if (performance.now() > end) throw new Error("the condition did not come about");
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}
