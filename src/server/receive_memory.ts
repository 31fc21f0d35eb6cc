// The memory that requests being received may take, all together: every body is held in it from its first byte until
// its request is answered, so that no number of uploads, cut, slow or large, can take more than was given.

/**
 * Bodies are received into buffers of these sizes, which are kept for the next request: a new one costs more than
 * copying a request into it, by its page faults, and one that lives as long as a request is old to the garbage
 * collector, which gets at it late.
 */
const pieceBytes = 512 << 10;
const pooledSizes = [4 << 10, 64 << 10, pieceBytes];
/** Free buffers beyond this are let go when they haven't been needed for trimMs. */
const freeBytesKept = 8 << 20;
const trimMs = 5000;

/** A request that can't be taken now for want of memory; the client may come back. */
export class ReceiveBusy extends Error {
  override readonly name = "ReceiveBusy";

  constructor() {
    super("too many bytes are being received, try again later");
  }
}

/** A body over its limit. */
export class BodyTooLarge extends Error {
  override readonly name = "BodyTooLarge";

  constructor(readonly bytesMax: number) {
    super(`request body too large: more than ${bytesMax} bytes`);
  }
}

export class ReceiveMemory {
  readonly bytesMax: number;
  readonly #free: Uint8Array<ArrayBuffer>[][] = pooledSizes.map(() => []);
  #freeBytes = 0;
  #held = 0;
  /** Most that was held since the last trim. */
  #peak = 0;
  #timer: ReturnType<typeof setInterval> | null = null;

  /** @param bytesMax what all requests being received may hold together */
  constructor(bytesMax: number) {
    this.bytesMax = bytesMax;
  }

  /**
   * Largest body that can be taken at all: it is held twice while it is put together, or as JSON and as protobuf. A larger one is
   * refused for good, since sending it again won't help.
   */
  get bodyBytesMax(): number {
    return Math.floor(this.bytesMax / 2);
  }

  /** Bytes that requests hold now. */
  get bytesHeld(): number {
    return this.#held;
  }

  /**
   * Counts bytes that are held elsewhere, such as decompressed ones.
   *
   * @throws ReceiveBusy when they would be too many
   */
  reserve(bytes: number): void {
    if (this.#held + bytes > this.bytesMax) throw new ReceiveBusy();
    this.#held += bytes;
    if (this.#held > this.#peak) this.#peak = this.#held;
  }

  release(bytes: number): void {
    this.#held -= bytes;
  }

  /**
   * A buffer of at least that many bytes, with whatever its last user left in it.
   *
   * @throws ReceiveBusy
   */
  take(bytes: number): Uint8Array<ArrayBuffer> {
    const pool = pooledSizes.findIndex((size) => bytes <= size);
    const size = pool < 0 ? bytes : pooledSizes[pool]!;
    this.reserve(size);
    const free = pool < 0 ? undefined : this.#free[pool]!.pop();
    if (free === undefined) {
      this.#trim(this.bytesMax - this.#held);
      return new Uint8Array(size);
    }
    this.#freeBytes -= size;
    return free;
  }

  give(buffer: Uint8Array<ArrayBuffer>): void {
    this.release(buffer.length);
    const pool = pooledSizes.indexOf(buffer.length);
    if (pool < 0) return;
    this.#free[pool]!.push(buffer);
    this.#freeBytes += buffer.length;
    if (this.#freeBytes > freeBytesKept && this.#timer === null) {
      this.#timer = setInterval(() => this.#trimUnused(), trimMs);
      this.#timer.unref();
    }
  }

  #trimUnused(): void {
    this.#trim(Math.max(freeBytesKept, this.#peak - this.#held));
    this.#peak = this.#held;
    if (this.#freeBytes > freeBytesKept || this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
  }

  /** Lets free buffers go until there are no more bytes of them than that. */
  #trim(freeBytesMax: number): void {
    for (const free of this.#free) {
      while (this.#freeBytes > freeBytesMax && free.length > 0) this.#freeBytes -= free.pop()!.length;
    }
  }
}

/**
 * A body as it arrives. It takes room for what has come, not for what was announced: a client has to send bytes to
 * make the server hold bytes. It is held in pieces until it is whole, so that one that is cut off leaves nothing for
 * the garbage collector.
 */
export class ReceivedBody {
  readonly #memory: ReceiveMemory;
  readonly #bytesMax: number;
  /** All are full but the last one. */
  readonly #pieces: Uint8Array<ArrayBuffer>[] = [];
  /** Room in the last piece. */
  #room = 0;
  #length = 0;

  /** @param bytesMax largest body; the memory may allow less */
  constructor(memory: ReceiveMemory, bytesMax: number) {
    this.#memory = memory;
    this.#bytesMax = Math.min(bytesMax, memory.bodyBytesMax);
  }

  get length(): number {
    return this.#length;
  }

  /** What has come so far, up to that many bytes of it, for a look at its beginning. */
  head(bytes: number): Uint8Array {
    return this.#pieces[0]?.subarray(0, Math.min(bytes, this.#length)) ?? new Uint8Array(0);
  }

  /** @throws BodyTooLarge, ReceiveBusy; what came before is then still held */
  append(chunk: Uint8Array): void {
    const length = this.#length + chunk.length;
    if (length > this.#bytesMax) throw new BodyTooLarge(this.#bytesMax);
    let taken = 0;
    while (taken < chunk.length) {
      if (this.#room === 0) this.#grow(chunk.length - taken);
      const piece = this.#pieces[this.#pieces.length - 1]!;
      const bytes = Math.min(this.#room, chunk.length - taken);
      piece.set(
        bytes === chunk.length ? chunk : chunk.subarray(taken, taken + bytes),
        piece.length - this.#room,
      );
      this.#room -= bytes;
      this.#length += bytes;
      taken += bytes;
    }
  }

  #grow(bytes: number): void {
    const [first] = this.#pieces;
    if (this.#pieces.length === 1 && first!.length < pieceBytes) {
      // The small piece that every body begins with gives way, so that most bodies are one piece in the end.
      const piece = this.#memory.take(Math.min(this.#length + bytes, pieceBytes));
      piece.set(first!);
      this.#memory.give(first!);
      this.#pieces[0] = piece;
      this.#room = piece.length - this.#length;
      return;
    }
    const piece = this.#memory.take(first === undefined ? Math.min(bytes, pieceBytes) : pieceBytes);
    this.#pieces.push(piece);
    this.#room = piece.length;
  }

  /**
   * The body as one; valid until release().
   *
   * @throws ReceiveBusy
   */
  whole(): Uint8Array<ArrayBuffer> {
    if (this.#pieces.length > 1) {
      const whole = this.#memory.take(this.#length);
      let at = 0;
      for (const piece of this.#pieces.splice(0)) {
        whole.set(piece.subarray(0, Math.min(piece.length, this.#length - at)), at);
        at += piece.length;
        this.#memory.give(piece);
      }
      this.#pieces.push(whole);
      this.#room = whole.length - this.#length;
    }
    return this.#pieces[0]?.subarray(0, this.#length) ?? new Uint8Array(0);
  }

  /** Gives the memory back. May be called again. */
  release(): void {
    for (const piece of this.#pieces.splice(0)) this.#memory.give(piece);
    this.#room = 0;
    this.#length = 0;
  }
}
