"""The staff's photo session: photos become a card, which a tap puts into the catalogue."""
