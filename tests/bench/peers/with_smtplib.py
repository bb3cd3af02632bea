"""The same letters as a user of Python's smtplib would send them: one connection, one letter after another."""

import smtplib
import sys
from email.message import EmailMessage

port, count, size = map(int, sys.argv[1:])
text = ("Kommunerne vil høre, hvad markedet kan. " * (size // 80 + 1))[: size // 2]
with smtplib.SMTP("127.0.0.1", port) as server:
    for number in range(count):
        letter = EmailMessage()
        letter["From"], letter["To"] = "Skala <skala@skala.example>", f"nr{number}@d{number % 500}.example"
        letter["Subject"] = "Ny markedsdialog"
        letter["List-Unsubscribe"] = f"<https://skala.example/unsubscribe/{number}>"
        letter.set_content(text)
        letter.add_alternative(f"<p>{text}</p>", subtype="html")
        server.send_message(letter)
