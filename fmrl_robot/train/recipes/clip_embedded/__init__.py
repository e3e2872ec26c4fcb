"""Recipe of the embedded CLIP: render both scenes, caption by predicates, train, measure, ship."""
