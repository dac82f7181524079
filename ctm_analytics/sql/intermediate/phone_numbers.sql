-- One row per phone number as imports and WhatsApp write it, with the digits by which two spellings are known as one.
-- Brazil's mobile numbers have a ninth digit or not, Mexico's a 1 or not, Argentina's a 9 or not.
with written as (
    select phone
    from sales
    where phone is not null
    union all
    select phone
    from customer_contacts
    where phone is not null
    union all
    select '+' || contact_id as phone
    from contact_ids
    where platform = 'whatsapp' and contact_id not like '%.%'
)

select
    phone,
    case
        when phone like '+55%' and length(phone) = 14 and substr(phone, 6, 1) = '9'
            then substr(phone, 2, 4) || substr(phone, 7)
        when phone like '+521%' and length(phone) = 14 then '52' || substr(phone, 5)
        when phone like '+549%' and length(phone) = 14 then '54' || substr(phone, 5)
        when phone like '+%' then substr(phone, 2)
        -- Without a country code it equals no WhatsApp number, but may equal the same text in another import.
        else phone
    end as phone_digits
from written
group by phone
