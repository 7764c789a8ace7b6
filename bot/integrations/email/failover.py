"""Sends one job's e-mail by the first provider that accepts it, and never twice."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from bot.infra.alerts import Alarm, Alerts
from bot.infra.metrics import MAILS
from bot.infra.queues import JobRejected
from bot.integrations.email.provider import (
    InDoubt,
    Mail,
    Misconfigured,
    Provider,
    ProviderUnavailable,
    RecipientRefused,
)
from bot.integrations.email.receipts import Receipt, Receipts
from bot.integrations.email.suppression import Suppression

_log = structlog.get_logger()
_SAME_ALARM_SECONDS = 3600


class EmailNotTaken(Exception):
    """No provider accepted the e-mail now. It was not sent, and may be tried again."""


class FailoverSender:
    """Tries the providers in their order.

    - Accepted: the receipt says so, and the same job never asks a provider again.
    - Recipient refused: the address goes on the suppression list and the job ends. A second provider would refuse it
      too, and its reputation would suffer.
    - Not accepted for another reason (unavailable, 429, 5xx, wrong credentials, unverified sender, refused content):
      the next provider is asked. After the last one the job is retried later.
    - In doubt (no answer came to the request, or the worker died in between): the job fails and an operator is told.
      No provider can settle the doubt: SendGrid and SES have no idempotency key and no lookup by our Message-ID, and
      only some mailboxes drop a second copy. Mostly such an e-mail was sent. A second bill or code is worse than a
      missing one, which can be asked for again. To send it anyway, an operator adds a new job.
    """

    def __init__(
        self, providers: Sequence[Provider], receipts: Receipts, suppression: Suppression, alerts: Alerts
    ) -> None:
        self._providers = tuple(providers)
        self._receipts = receipts
        self._suppression = suppression
        self._alerts = alerts

    async def send(self, mail: Mail, job: str) -> None:
        """Send it unless this job did. Raises JobRejected when it can never be sent, EmailNotTaken when a later try
        may.
        """
        async with self._receipts.hold(job) as receipt:
            if receipt.state == "accepted":
                return
            if receipt.state in ("asking", "doubtful"):
                await self._end_in_doubt(receipt, receipt.detail or "the worker stopped before the answer")
            if receipt.state == "refused":
                raise JobRejected(receipt.detail)
            why = await self._suppression.why(mail.to)
            if why is not None:
                raise JobRejected(f"to: nothing is sent to this address any more: {why}")
            await self._try_providers(mail, receipt)

    async def _try_providers(self, mail: Mail, receipt: Receipt) -> None:
        failures: list[str] = []
        for provider in self._providers:
            await receipt.write("asking", provider.name)
            try:
                id_ = await provider.send(mail)
            except RecipientRefused as error:
                await self._end_refused(mail, receipt, error)
            except InDoubt as error:
                await self._end_in_doubt(receipt, str(error))
            except ProviderUnavailable as error:
                await receipt.write("none", provider.name)
                await self._report(provider.name, error)
                failures.append(f"{provider.name}: {error}")
            else:
                await receipt.write("accepted", provider.name, id_)
                MAILS.labels(provider.name, "accepted").inc()
                _log.info("mail_sent", provider=provider.name, job=receipt.job)
                return
        raise EmailNotTaken("; ".join(failures))

    async def _end_refused(self, mail: Mail, receipt: Receipt, error: RecipientRefused) -> None:
        detail = f"to: {receipt.provider} refused the recipient for good: {error}"
        await self._suppression.add(mail.to, receipt.provider, str(error))
        await receipt.write("refused", receipt.provider, detail)
        MAILS.labels(receipt.provider, "refused").inc()
        raise JobRejected(detail) from error

    async def _end_in_doubt(self, receipt: Receipt, detail: str) -> None:
        reason = f"in doubt: {receipt.provider} may have sent it ({detail}); it is not sent again"
        if receipt.state != "doubtful":
            await receipt.write("doubtful", receipt.provider, detail)
            MAILS.labels(receipt.provider, "in_doubt").inc()
            what = f"an e-mail may have been sent or not: {receipt.provider} gave no answer; job {receipt.job}"
            fix = "look it up at the provider; to send it anyway add a new job"
            await self._alerts.sound(Alarm("mail_in_doubt", "warning", what, fix), f"mail:{receipt.job}")
        raise JobRejected(reason)

    async def _report(self, provider: str, error: ProviderUnavailable) -> None:
        MAILS.labels(provider, "unavailable").inc()
        _log.warning("mail_provider_unavailable", provider=provider, error=str(error))
        if isinstance(error, Misconfigured):
            alarm = Alarm("mail_provider", "error", f"{provider} takes no e-mail: {error}", error.fix)
            await self._alerts.sound(alarm, f"mail:{provider}", again_after=_SAME_ALARM_SECONDS)
