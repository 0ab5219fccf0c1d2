"""Three SMTP servers on free ports of loopback, run by .ci/mail. They take letters only from one user, and write each to a file."""

import asyncio
import pathlib
import signal
import ssl
import sys
import uuid

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

USER, PASSWORD = b"spotlight", b"p@ss/word"
IN_AN_ADDRESS = "spotlight:p%40ss%2Fword"

folder = pathlib.Path(sys.argv[1])


class Keep:
    """Each letter a file, with the recipient that was named outside of it."""

    async def handle_DATA(self, server, session, envelope):
        head = "".join(f"X-Envelope-To: {to}\r\n" for to in envelope.rcpt_tos).encode()
        half = folder / "letters" / f"{uuid.uuid4().hex}.new"
        half.write_bytes(head + envelope.content)
        half.rename(half.with_suffix(".eml"))
        return "250 2.0.0 taken"


def lets_in(server, session, envelope, mechanism, data):
    is_right = isinstance(data, LoginPassword) and (data.login, data.password) == (USER, PASSWORD)
    return AuthResult(success=is_right, handled=False)


async def serve():
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(folder / "server.pem", folder / "server.key")
    kinds = {
        "smtp": ({"auth_require_tls": False}, None),
        "smtp+starttls": ({"tls_context": tls, "require_starttls": True}, None),
        # To aiosmtpd a connection that was encrypted from the first byte is plain.
        "smtps": ({"auth_require_tls": False}, tls),
    }
    loop, addresses = asyncio.get_running_loop(), []
    for scheme, (options, context) in kinds.items():

        def protocol(options=options):
            return SMTP(Keep(), hostname="localhost", authenticator=lets_in, auth_required=True, **options)

        server = await loop.create_server(protocol, "127.0.0.1", 0, ssl=context)
        addresses.append(f"{scheme}://{IN_AN_ADDRESS}@localhost:{server.sockets[0].getsockname()[1]}")
    (folder / "ready").write_text(",".join(addresses))
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await stop.wait()


asyncio.run(serve())
