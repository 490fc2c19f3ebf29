"""`tracertwin faults`: what can break on a line and in a plant, as tables to read. Knows how to lay them out."""

from plant.report.output import plain_table
from tracertwin.console import print_compactly, wide_console
from tracertwin.pages.faults import tables

NARROW = 70  # columns; below, the table would leave the meaning a word a line


def print_faults() -> None:
    """Print every line fault and every upset, with its keys."""
    console = wide_console()
    for number, told in enumerate(tables()):
        if number:
            console.print()
        table = plain_table(title=told.title, title_justify="left")
        for head in told.heads:
            table.add_column(head, no_wrap=head in told.heads[:2], overflow="fold")
        for name, keys, *rest in told.rows:
            table.add_row(name, "\n".join(keys), *rest)
        if console.width < NARROW:
            console.print(told.title)
            for name, keys, *rest in told.rows:
                print_compactly(console, [name], [*keys, *rest])
        else:
            console.print(table)
        console.print()
        for note in told.notes:
            console.print(f"- {note}", highlight=False)
