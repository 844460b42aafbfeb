"""A port of this machine that leads to a socket of Unix, for clients that know no such
sockets, as pgjdbc.  Standard library only."""

import socket
import threading


class Forwarded:
    """With its `with`, the number of the port."""

    def __init__(self, path):
        self.path = path
        self.server = socket.create_server(("127.0.0.1", 0))

    def __enter__(self):
        threading.Thread(target=self._accept, daemon=True).start()
        return self.server.getsockname()[1]

    def __exit__(self, *_):
        self.server.close()

    def _accept(self):
        while True:
            try:
                client = self.server.accept()[0]
            except OSError:
                return
            database = socket.socket(socket.AF_UNIX)
            database.connect(self.path)
            for source, target in ((client, database), (database, client)):
                threading.Thread(target=self._copy, args=(source, target), daemon=True).start()

    @staticmethod
    def _copy(source, target):
        try:
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass
