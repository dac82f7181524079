-- One row per turn since its contact's redo_from: those before stay as they are.
select redone_turns.*
from redone_turns
inner join redone
    on redone_turns.contact_key = redone.contact_key and redone_turns.opened_at >= redone.redo_from
