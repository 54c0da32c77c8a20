import { type AddressInfo, createServer, type Socket } from "node:net";

/** A mail server for tests: takes every mail, or refuses as long as it is told to. */
export interface TestSmtp extends AsyncDisposable {
  readonly url: string;
  /** Whole messages with their headers. */
  readonly mails: readonly string[];
  refuse(isRefusing: boolean): void;
}

export async function startTestSmtp(): Promise<TestSmtp> {
  const mails: string[] = [];
  const sockets = new Set<Socket>();
  let isRefusing = false;
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    converse(
      socket,
      (mail) => mails.push(mail),
      () => isRefusing,
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `smtp://127.0.0.1:${(server.address() as AddressInfo).port}`,
    mails,
    refuse: (value) => (isRefusing = value),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** As much of RFC 5321 as a client needs to get rid of a mail. */
function converse(socket: Socket, onMail: (mail: string) => void, isRefusing: () => boolean): void {
  let input = "";
  let isInData = false;
  socket.write("220 test ready\r\n");
  socket.on("data", (chunk: Buffer) => {
    input += chunk.toString();
    for (;;) {
      const end = isInData ? input.indexOf("\r\n.\r\n") : input.indexOf("\r\n");
      if (end < 0) return;
      const text = input.slice(0, end);
      input = input.slice(end + (isInData ? 5 : 2));
      if (isInData) {
        onMail(text);
        isInData = false;
        socket.write("250 taken\r\n");
      } else if (/^DATA/i.test(text)) {
        isInData = true;
        socket.write("354 go on\r\n");
      } else if (/^RCPT/i.test(text) && isRefusing()) {
        socket.write(`451 try again later, ${text.slice(8)}\r\n`);
      } else if (/^QUIT/i.test(text)) {
        socket.end("221 bye\r\n");
      } else {
        socket.write("250 fine\r\n");
      }
    }
  });
}
