"""The people who write, each with an invented name, an example.com address and a fictional phone number."""

from random import Random

from ctm_analytics.simulation.business import ACCOUNTS, WHATSAPP
from ctm_analytics.simulation.records import Contact

_FIRST_NAMES = (
    "Thandi", "Sipho", "Anna", "Pieter", "Lerato", "Johan", "Zanele", "Kabelo", "Maria", "David", "Nomsa",
    "Riaan", "Ayesha", "Themba", "Chantal", "Lindiwe", "Marco", "Palesa", "Grace", "Femi", "Noor", "José",
)  # fmt: skip
_LAST_NAMES = (
    "Dlamini", "Botha", "Naidoo", "Mokoena", "Smith", "van Wyk", "Khumalo", "Pillay", "Adams", "Nkosi", "Meyer",
    "Sithole", "Jacobs", "Okafor", "Marais", "Ndlovu", "Patel", "Fourie", "Müller", "Zulu",
)  # fmt: skip

_USER_ID_ONLY_SHARE = 0.03


class People:
    """Makes contacts that differ from each other in every id.

    Parameters
    ----------
    random : Random
    """

    def __init__(self, random: Random) -> None:
        self._random = random
        self._count = 0
        # 555-0100 to 555-0199 of every area code belong to nobody: 789 x 100 numbers.
        self._phones = [f"1{area}55501{line:02}" for area in range(201, 990) for line in range(100)]
        random.shuffle(self._phones)
        # Somebody hides their number from the start, so that a business-scoped user id alone is always seen.
        self._user_id_only_due = True

    def meet(self, platform: str) -> Contact:
        """Meet a person who writes on a platform for the first time."""
        self._count += 1
        first, last = self._random.choice(_FIRST_NAMES), self._random.choice(_LAST_NAMES)
        digits = self._phones[self._count]
        accounts = ACCOUNTS[platform]
        account_id = self._random.choices(list(accounts), list(accounts.values()))[0]
        return Contact(
            platform=platform,
            account_id=account_id,
            contact_id=self._contact_id(platform, digits),
            name=f"{first} {last}",
            email=f"customer{self._count:05}@example.com",
            phone=f"+{digits}",
        )

    def _contact_id(self, platform: str, digits: str) -> str:
        if platform != WHATSAPP:
            return f"{self._random.randrange(10**15, 10**16)}"
        if self._user_id_only_due or self._random.random() < _USER_ID_ONLY_SHARE:
            self._user_id_only_due = False
            return f"ZA.{self._random.randrange(10**19, 10**20)}"
        return digits


def hides_phone(contact: Contact) -> bool:
    """Tell whether a WhatsApp contact is known by a business-scoped user id alone."""
    return contact.platform == WHATSAPP and "." in contact.contact_id
