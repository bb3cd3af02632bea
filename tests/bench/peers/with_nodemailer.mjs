// The same letters as a user of Nodemailer would send them: a pool of one connection.
import { createRequire } from "node:module";

const [folder, port, count, size] = [process.argv[2], ...process.argv.slice(3).map(Number)];
const nodemailer = createRequire(`${folder}/`)("nodemailer");
const transport = nodemailer.createTransport({
  host: "127.0.0.1", port, pool: true, maxConnections: 1, maxMessages: Infinity, secure: false, ignoreTLS: true,
});
const text = "Kommunerne vil høre, hvad markedet kan. ".repeat(Math.ceil(size / 80)).slice(0, size / 2);
const letters = Array.from({ length: count }, (_, number) => transport.sendMail({
  from: "Skala <skala@skala.example>", to: `nr${number}@d${number % 500}.example`, subject: "Ny markedsdialog", text,
  html: `<p>${text}</p>`, list: { unsubscribe: `https://skala.example/unsubscribe/${number}` },
}));
await Promise.all(letters);
transport.close();
