package settings

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/stoacommerce/stoa/commerce/address"
	"github.com/stoacommerce/stoa/commerce/collections"
	"github.com/stoacommerce/stoa/commerce/search"
	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/merge"
	"github.com/stoacommerce/stoa/platform/money"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// DefaultAccent is the theme's accent of a store that has set none.
const DefaultAccent = "#1f5f5b"

// Settings are a store's, on one of its sides.
type Settings struct {
	Name             string    `json:"name"`
	Description      string    `json:"description"`
	ContactEmail     string    `json:"contact_email"` // empty for none
	Country          string    `json:"country"`
	Locale           string    `json:"locale"`
	Currency         string    `json:"currency"`
	Currencies       []string  `json:"currencies"` // the main one first
	PricesIncludeTax bool      `json:"prices_include_tax"`
	AccentColor      string    `json:"accent_color"`
	Version          int       `json:"version"`
	UpdatedAt        time.Time `json:"-"`
}

// Patch changes settings; what is nil stays.
type Patch struct {
	Name, Description, ContactEmail, Country, Locale, Currency *string
	Currencies                                                 []string
	PricesIncludeTax                                           *bool
	AccentColor                                                *string
}

// check tidies the settings and says what is wrong with them.
func (s *Settings) check() error {
	wrong := problem.New(problem.Unprocessable, "invalid_settings", "The settings cannot be kept as they are.")
	line(wrong, &s.Name, "/name", 1, 255)
	line(wrong, &s.ContactEmail, "/contact_email", 0, 254)
	s.Description = strings.TrimSpace(s.Description)
	if utf8.RuneCountInString(s.Description) > 2000 {
		wrong.At("/description", "maxLength", "It may have 2000 characters.")
	}
	if !address.Known(s.Country) {
		wrong.At("/country", "country", "There is no country %q.", s.Country)
	}
	if s.Currencies = mainFirst(s.Currency, s.Currencies); len(s.Currencies) > 50 {
		wrong.At("/currencies", "maxItems", "There may be 50.")
	}
	for i, currency := range s.Currencies {
		if !money.Known(currency) {
			at := fmt.Sprintf("/currencies/%d", i)
			if i == 0 {
				at = "/currency"
			}
			wrong.At(at, "currency", "There is no currency %q.", currency)
		}
	}
	if !accent.MatchString(s.AccentColor) {
		wrong.At("/accent_color", "pattern", "It is written as #1f5f5b.")
	}
	return wrong.OrNil()
}

var accent = regexp.MustCompile(`^#[0-9a-f]{6}$`)

// mainFirst are the currencies without repeats, the main one first.
func mainFirst(main string, currencies []string) []string {
	out := []string{main}
	for _, currency := range currencies {
		if !slices.Contains(out, currency) {
			out = append(out, currency)
		}
	}
	return out
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

// Create writes the settings of a store that is being opened. A store has them once.
func Create(ctx context.Context, tx *postgres.Tx, s Settings) error {
	if s.Locale == "" {
		s.Locale = "en"
	}
	if s.AccentColor == "" {
		s.AccentColor = DefaultAccent
	}
	if err := s.check(); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `insert into settings (id, name, description, contact_email, country, locale, currency, currencies, prices_include_tax, theme)
		values (1, $1, $2, $3, $4, $5, $6, $7, $8, jsonb_build_object('accent_color', $9::text))`,
		s.Name, s.Description, s.ContactEmail, s.Country, s.Locale, s.Currency, s.Currencies, s.PricesIncludeTax, s.AccentColor)
	if err != nil {
		return fmt.Errorf("insert settings: %w", err)
	}
	return nil
}

// Get are the store's settings.
func Get(ctx context.Context, tx *postgres.Tx) (Settings, error) { return get(ctx, tx, "") }

func get(ctx context.Context, tx *postgres.Tx, lock string) (Settings, error) {
	s := Settings{}
	err := tx.QueryRow(ctx, `select name, description, contact_email, country, locale, currency, currencies, prices_include_tax,
		coalesce(theme->>'accent_color', $1), version, updated_at from settings where id = 1`+lock, DefaultAccent).
		Scan(&s.Name, &s.Description, &s.ContactEmail, &s.Country, &s.Locale, &s.Currency, &s.Currencies, &s.PricesIncludeTax,
			&s.AccentColor, &s.Version, &s.UpdatedAt)
	if errors.Is(err, postgres.ErrNoRows) {
		return s, fmt.Errorf("the store has no settings: %w", err)
	}
	if err != nil {
		return s, fmt.Errorf("read settings: %w", err)
	}
	s.Currencies = mainFirst(s.Currency, s.Currencies)
	return s, nil
}

// Update changes the settings when they have the version meant; zero is any. It says
// whether anything changed. The event is the store's, whose address and state the caller
// knows.
func Update(ctx context.Context, tx *postgres.Tx, meant int, patch Patch) (after Settings, changed bool, err error) {
	before, err := get(ctx, tx, " for no key update")
	if err != nil {
		return before, false, err
	}
	if err := problem.Outdated(before.Version, meant); err != nil {
		return before, false, err
	}
	after = patch.apply(before)
	if err := after.check(); err != nil {
		return before, false, err
	}
	if same(before, after) {
		return before, false, nil
	}
	after.Version, after.UpdatedAt = before.Version+1, clock.Now()
	_, err = tx.Exec(ctx, `update settings set name = $1, description = $2, contact_email = $3, country = $4, locale = $5, currency = $6,
		currencies = $7, prices_include_tax = $8, theme = theme || jsonb_build_object('accent_color', $9::text), version = $10, updated_at = $11 where id = 1`,
		after.Name, after.Description, after.ContactEmail, after.Country, after.Locale, after.Currency,
		after.Currencies, after.PricesIncludeTax, after.AccentColor, after.Version, after.UpdatedAt)
	if err != nil {
		return before, false, fmt.Errorf("update settings: %w", err)
	}
	if before.Locale != after.Locale {
		if err := search.Reindex(ctx, tx); err != nil {
			return before, false, err
		}
	}
	if before.Currency != after.Currency { // collections are sorted by its prices
		if err := collections.RebuildAll(ctx, tx, collections.ByPrice); err != nil {
			return before, false, err
		}
	}
	journal.Audit(ctx, tx, journal.Entry{Action: "store.update", ObjectID: tx.Store.ID, Before: before, After: after})
	return after, true, nil
}

func same(a, b Settings) bool {
	return slices.Equal(a.Currencies, b.Currencies) && a.Name == b.Name && a.Description == b.Description && a.ContactEmail == b.ContactEmail &&
		a.Country == b.Country && a.Locale == b.Locale && a.Currency == b.Currency && a.PricesIncludeTax == b.PricesIncludeTax && a.AccentColor == b.AccentColor
}

func (p Patch) apply(s Settings) Settings {
	merge.Set(&s.Name, p.Name)
	merge.Set(&s.Description, p.Description)
	merge.Set(&s.ContactEmail, p.ContactEmail)
	merge.Set(&s.Country, p.Country)
	merge.Set(&s.Locale, p.Locale)
	merge.Set(&s.Currency, p.Currency)
	merge.Set(&s.PricesIncludeTax, p.PricesIncludeTax)
	merge.Set(&s.AccentColor, p.AccentColor)
	if p.Currencies != nil {
		s.Currencies = p.Currencies
	}
	return s
}
