-- One row per id of a WhatsApp contact who is known by several: phone numbers and user ids that events tie together.
with either_way as (
    select
        one_id,
        other_id
    from contact_links
    where one_id <> '' and other_id <> ''
    union all
    select
        other_id as one_id,
        one_id as other_id
    from contact_links
    where one_id <> '' and other_id <> ''
),

links as (
    select
        one_id,
        other_id
    from either_way
    union all
    select
        one_id,
        one_id as other_id
    from either_way
),

-- Each id takes the least of its neighbours' ids, four times: a person with ids more than four steps apart is two.
first_step as (
    select
        one_id,
        min(other_id) as person_id
    from links
    group by one_id
),

second_step as (
    select
        links.one_id,
        min(first_step.person_id) as person_id
    from links
    inner join first_step
        on links.other_id = first_step.one_id
    group by links.one_id
),

third_step as (
    select
        links.one_id,
        min(second_step.person_id) as person_id
    from links
    inner join second_step
        on links.other_id = second_step.one_id
    group by links.one_id
),

fourth_step as (
    select
        links.one_id,
        min(third_step.person_id) as person_id
    from links
    inner join third_step
        on links.other_id = third_step.one_id
    group by links.one_id
),

people as (
    select
        whatsapp_ids.contact_key as alias_key,
        whatsapp_ids.account_id,
        whatsapp_ids.contact_id,
        min(whatsapp_ids.contact_key) over person as contact_key,
        count(*) over person as ids
    from whatsapp_ids
    inner join fourth_step
        on whatsapp_ids.contact_id = fourth_step.one_id
    window person as (partition by whatsapp_ids.account_id, fourth_step.person_id)
)

select
    alias_key,
    contact_key,
    account_id,
    contact_id
from people
where ids > 1
