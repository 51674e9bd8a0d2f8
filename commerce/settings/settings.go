package settings

import (
	"context"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/stoacommerce/stoa/commerce/collections"
	"github.com/stoacommerce/stoa/commerce/search"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// Follow has the catalogue follow the store's settings, whose row the caller holds: products
// are found by the words of its language and by prices in its currencies, and collections are
// sorted by those in its main currency.
func Follow(ctx context.Context, tx *postgres.Tx, locale, currency, currencies bool) error {
	if locale || currency || currencies {
		if err := search.Reindex(ctx, tx); err != nil {
			return err
		}
	}
	if currency {
		return collections.RebuildAll(ctx, tx, collections.ByPrice)
	}
	return nil
}

// line trims a text of one line and holds it to its bounds.
func line(wrong *problem.Problem, text *string, pointer string, least, most int) {
	*text = strings.TrimSpace(*text)
	switch n := utf8.RuneCountInString(*text); {
	case n < least:
		wrong.At(pointer, "required", "It is empty.")
	case n > most:
		wrong.At(pointer, "maxLength", "It has %d characters, and may have %d.", n, most)
	case strings.ContainsFunc(*text, unicode.IsControl):
		wrong.At(pointer, "characters", "It holds characters that are not text.")
	}
}
