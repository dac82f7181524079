-- One row: whether any event can tie two ids of a WhatsApp contact together, as contact_aliases.sql does.
select
    count_if(
        platform = 'whatsapp' and (
            contact_id like '%.%'
            or status in ('user_changed_user_id', 'user_changed_number', 'customer_changed_number')
            or message_type = 'user_id_update'
        )
    ) > 0 as may_tie
from recorded
