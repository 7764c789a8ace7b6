"""Credentials and addresses that tests share with their servers."""

from dataclasses import dataclass

from sandbox.simulators.sendgrid import SendGridSimulator

KEY = "SG.key-of-the-tests"
SENDER = "hola@recado.example"
LOGIN = ("recado", "hunter2")
NOBODY = "http://127.0.0.1:9"


@dataclass
class Outside:
    sendgrid: SendGridSimulator
    url: str
