"""Referrals: which ad, post, product or link brought a person here."""

from typing import Any, NamedTuple

from receiver.deliveries.json_text import mapping, text


class Referral(NamedTuple):
    """The referral columns of an event, in their order; all None where a person came by themselves."""

    referral_source: str | None = None
    referral_type: str | None = None
    ad_id: str | None = None
    ref: str | None = None
    post_id: str | None = None
    product_id: str | None = None
    flow_id: str | None = None
    ad_title: str | None = None
    ctwa_clid: str | None = None


NO_REFERRAL = Referral()


def messaging_referral(item: dict[str, Any]) -> Referral:
    """Read the referral of a Messenger or Instagram item from any of its four places.

    A new thread's first message carries it inside ``message``, a Get Started tap inside ``postback``, a click
    in an existing thread alone in the item, and some deliveries beside a message. Should two places be
    filled, the one that names an ad speaks.
    """
    found = [
        referral
        for holder in (item.get("message"), item.get("postback"), item)
        if isinstance(holder, dict) and isinstance(referral := holder.get("referral"), dict)
    ]
    if not found:
        return NO_REFERRAL
    return _messaging_columns(next((referral for referral in found if named_ad(referral)), found[0]))


def named_ad(referral: dict[str, Any]) -> str | None:
    """Return the ad that a referral or a lead form names."""
    ad_id = text(referral.get("ad_id"))
    return None if ad_id == "0" else ad_id  # lead forms write 0 where there is no ad


def _messaging_columns(referral: dict[str, Any]) -> Referral:
    ad = mapping(referral.get("ads_context_data"))
    return Referral(
        referral_source=text(referral.get("source")),
        referral_type=text(referral.get("type")),
        ad_id=named_ad(referral),
        ref=text(referral.get("ref")),
        post_id=text(ad.get("post_id")),
        # a Shops product page names only the product: a touch, but never an ad
        product_id=text(ad.get("product_id")) or text(mapping(referral.get("product")).get("id")),
        flow_id=text(ad.get("flow_id")),
        ad_title=text(ad.get("ad_title")),
    )


def whatsapp_referral(message: dict[str, Any]) -> Referral:
    """Read the referral of a WhatsApp message: ``source_id`` is an ad's only if ``source_type`` says so."""
    product = mapping(mapping(message.get("context")).get("referred_product"))
    referral = message.get("referral")
    if not isinstance(referral, dict):
        return Referral(product_id=text(product.get("product_retailer_id"))) if product else NO_REFERRAL
    source = text(referral.get("source_type"))
    source_id = text(referral.get("source_id"))
    return Referral(
        referral_source=source,
        ad_id=source_id if source == "ad" else None,
        post_id=source_id if source == "post" else None,
        product_id=text(product.get("product_retailer_id")),
        ad_title=text(referral.get("headline")) if source == "ad" else None,
        ctwa_clid=text(referral.get("ctwa_clid")),
    )
