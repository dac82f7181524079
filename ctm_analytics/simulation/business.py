"""Kaya Home, an invented furniture shop: its accounts, its ads, and how well each of them really sells."""

from collections.abc import Mapping
from dataclasses import dataclass

MESSENGER = "messenger"
INSTAGRAM = "instagram"
WHATSAPP = "whatsapp"

PERIOD_DAYS = 30

# A zone without daylight saving, so that moving the period by whole weeks moves nothing else.
TIMEZONE = "Africa/Johannesburg"
CURRENCY = "USD"
TARGET_CAC = 45

# Meta's app id of the Page inbox; the other two are the shop's own chat bot and its help desk.
PAGE_INBOX_APP_ID = "26390203743090"
BOT_APP_ID = "584201937465821"
HELP_DESK_APP_ID = "731946028513377"

WHATSAPP_BUSINESS_ACCOUNT_ID = "102290129340398"
WHATSAPP_DISPLAY_NUMBER = "15550783881"

# Accounts of each platform with the share of people who write to them.
ACCOUNTS: Mapping[str, Mapping[str, float]] = {
    MESSENGER: {"682498302938465": 0.85, "117172741761305": 0.15},
    INSTAGRAM: {"17841405309211844": 1.0},
    WHATSAPP: {"106540352242922": 1.0},
}

# Links in the newsletter, in the Instagram profile and on parcels: each is used by many people.
SHARED_REFS: Mapping[str, tuple[str, ...]] = {
    MESSENGER: ("newsletter", "parcel_card"),
    INSTAGRAM: ("profile_link",),
    WHATSAPP: (),
}

# People a day who write without any ad or link behind it.
ORGANIC_PER_DAY: Mapping[str, float] = {MESSENGER: 6.0, INSTAGRAM: 5.0, WHATSAPP: 4.0}
# People a day who come through a shared link.
LINK_PER_DAY: Mapping[str, float] = {MESSENGER: 2.0, INSTAGRAM: 1.5, WHATSAPP: 0.0}
# Orders a day of people who never wrote.
WALK_IN_SALES_PER_DAY = 2.0


@dataclass(frozen=True, slots=True)
class Ad:
    """One ad, as its marketer named it and as only the simulation knows it.

    Attributes
    ----------
    ad_id, ad_name, adset_id, adset_name, campaign_id, campaign_name : str
    title : str, the headline that Meta sends with a referral
    platforms : mapping of platform to its share of the clicks
    clicks_per_day : float, people who open a thread from the ad; 0 for an ad that nobody answers
    spend_per_day_cents : int; 0 for an ad that runs in another ad account
    buying_probability : float in [0, 1], that an engaged person buys when answered at an average speed
    average_sale_cents : int
    silent_share : float in [0, 1], of those who open the thread and say nothing
    ref : str or None, the ``ref`` parameter of the ad
    first_day, last_day : int, days of the period (0-based, both included) in which the ad runs
    """

    ad_id: str
    ad_name: str
    adset_id: str
    adset_name: str
    campaign_id: str
    campaign_name: str
    title: str
    platforms: Mapping[str, float]
    clicks_per_day: float
    spend_per_day_cents: int
    buying_probability: float
    average_sale_cents: int
    silent_share: float = 0.12
    ref: str | None = None
    first_day: int = 0
    last_day: int = PERIOD_DAYS - 1

    def runs_on(self, day: int) -> bool:
        """Tell whether the ad runs on a day of the period (0-based)."""
        return self.first_day <= day <= self.last_day


_PROSPECTING = ("120226305854800101", "Prospecting – Messages")
_RETARGETING = ("120226305854800102", "Retargeting – Messages")
_WHATSAPP_ORDERS = ("120226305854800103", "Orders – WhatsApp")

_BROAD = ("120226305854800211", "Broad 25–54", *_PROSPECTING)
_LOOKALIKE = ("120226305854800212", "Lookalike – Buyers 1%", *_PROSPECTING)
_DECOR = ("120226305854800213", "Interest – Home decor", *_PROSPECTING)
_VISITORS = ("120226305854800221", "Site visitors 30 days", *_RETARGETING)
_ENGAGED = ("120226305854800222", "Engaged 90 days", *_RETARGETING)
_METRO = ("120226305854800231", "Metro areas", *_WHATSAPP_ORDERS)

ADS: tuple[Ad, ...] = (
    Ad(
        "120226305854810726", "Reel – Testimonial", *_BROAD, title="“Our table is the heart of the house”",
        platforms={MESSENGER: 0.4, INSTAGRAM: 0.35, WHATSAPP: 0.25},
        clicks_per_day=12.7, spend_per_day_cents=34_00, buying_probability=0.155, average_sale_cents=118_00,
    ),
    Ad(
        "120226305854810727", "Carousel – Bestsellers", *_BROAD, title="The five pieces everyone asks about",
        platforms={MESSENGER: 0.6, INSTAGRAM: 0.4},
        clicks_per_day=9.7, spend_per_day_cents=29_00, buying_probability=0.085, average_sale_cents=96_00,
        ref="bestsellers_v2",
    ),
    Ad(
        "120226305854810728", "Static – 20% Off", *_BROAD, title="20% off this week",
        platforms={MESSENGER: 0.75, INSTAGRAM: 0.25},
        clicks_per_day=14.2, spend_per_day_cents=28_00, buying_probability=0.03, average_sale_cents=58_00,
        silent_share=0.24, ref="20off",
    ),
    Ad(
        "120226305854810729", "Video – Unboxing", *_LOOKALIKE, title="From box to living room in 12 minutes",
        platforms={MESSENGER: 0.7, INSTAGRAM: 0.3},
        clicks_per_day=6.7, spend_per_day_cents=22_00, buying_probability=0.14, average_sale_cents=134_00,
        ref="unboxing",
    ),
    Ad(
        "120226305854810730", "Reel – Behind the Workshop", *_LOOKALIKE, title="Made by hand, made to last",
        platforms={INSTAGRAM: 1.0},
        clicks_per_day=6, spend_per_day_cents=19_00, buying_probability=0.09, average_sale_cents=109_00,
    ),
    Ad(
        "120226305854810731", "Static – Free Delivery", *_DECOR, title="Free delivery over $80",
        platforms={MESSENGER: 0.8, INSTAGRAM: 0.2},
        clicks_per_day=5.3, spend_per_day_cents=31_00, buying_probability=0.05, average_sale_cents=88_00,
        ref="free-delivery",
    ),
    Ad(
        "120226305854810732", "Carousel – Still Thinking?", *_VISITORS, title="Still thinking about it?",
        platforms={MESSENGER: 0.55, INSTAGRAM: 0.45},
        clicks_per_day=4.5, spend_per_day_cents=11_00, buying_probability=0.21, average_sale_cents=142_00,
        silent_share=0.07, ref="still-thinking",
    ),
    Ad(
        "120226305854810733", "Story – Ask Us Anything", *_VISITORS, title="Ask us anything",
        platforms={INSTAGRAM: 1.0},
        clicks_per_day=4.5, spend_per_day_cents=16_00, buying_probability=0.075, average_sale_cents=92_00,
    ),
    Ad(
        "120226305854810734", "Video – How It’s Made", *_ENGAGED, title="How it’s made",
        platforms={MESSENGER: 1.0},
        clicks_per_day=0.7, spend_per_day_cents=3_00, buying_probability=0.1, average_sale_cents=99_00,
    ),
    Ad(
        "120226305854810735", "Video – Order in Chat", *_METRO, title="Order in chat, at your door on Friday",
        platforms={WHATSAPP: 1.0},
        clicks_per_day=8.2, spend_per_day_cents=25_00, buying_probability=0.135, average_sale_cents=104_00,
    ),
    Ad(
        "120226305854810736", "Image – Catalogue", *_METRO, title="See the whole catalogue",
        platforms={WHATSAPP: 1.0},
        clicks_per_day=7.5, spend_per_day_cents=24_00, buying_probability=0.035, average_sale_cents=79_00,
    ),
    Ad(
        "120226305854810737", "Reel – Summer Launch", *_BROAD, title="The summer collection is here",
        platforms={MESSENGER: 0.5, INSTAGRAM: 0.5},
        clicks_per_day=10.5, spend_per_day_cents=27_00, buying_probability=0.13, average_sale_cents=125_00,
        first_day=PERIOD_DAYS - 7,
    ),
    Ad(
        "120226305854810738", "Static – Gift Card Test", *_ENGAGED, title="Give the gift of choosing",
        platforms={MESSENGER: 1.0},
        clicks_per_day=0, spend_per_day_cents=4_00, buying_probability=0, average_sale_cents=50_00,
        first_day=9, last_day=13,
    ),
    Ad(
        "120219774410360552", "Boosted post of the agency", "", "", "", "", title="Kaya Home × Design Week",
        platforms={INSTAGRAM: 1.0},
        clicks_per_day=0.6, spend_per_day_cents=0, buying_probability=0.06, average_sale_cents=90_00,
        first_day=12, last_day=20,
    ),
)  # fmt: skip
