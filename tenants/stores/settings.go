package stores

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // the names of time zones, wherever the program runs
	"unicode/utf8"

	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/locales"
	"github.com/stoacommerce/stoa/platform/money"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/principal"
	"github.com/stoacommerce/stoa/platform/problem"
)

// DefaultAccent is the theme's accent of a store that chose none.
const DefaultAccent = "#1f5f5b"

// Settings are what a side of a store is set up with. They lie in its own schema.
type Settings struct {
	Name             string   `json:"name"`
	Description      string   `json:"description"`
	ContactEmail     string   `json:"contact_email"`
	Country          string   `json:"country"`
	Locale           string   `json:"locale"`  // what everything is written in
	Locales          []Locale `json:"locales"` // those that it is translated into
	Currency         string   `json:"currency"`
	Currencies       []string `json:"currencies"` // the main one first
	PricesIncludeTax bool     `json:"prices_include_tax"`
	AccentColor      string   `json:"accent_color"`
	TimeZone         string   `json:"time_zone"` // whose days reports are of

	Version   int       `json:"-"`
	UpdatedAt time.Time `json:"-"`
}

// Locale is one that a store is translated into.
type Locale struct {
	Locale    string `json:"locale"`
	Published bool   `json:"published"` // shoppers can choose it
}

// mostLocales is how many a store can be translated into.
const mostLocales = 20

// SettingsChange is what is to be changed; nil leaves as it is.
type SettingsChange struct {
	Name, Description, ContactEmail, Country, Locale, Currency, AccentColor, TimeZone *string

	Locales          []Locale
	Currencies       []string
	PricesIncludeTax *bool
	IfVersion        int // the version that is meant to be changed; zero means any
}

const (
	selectSettings = `
select name, description, contact_email, country, locale, locales, currency, currencies, prices_include_tax, coalesce(theme->>'accent_color', ''), time_zone, version, updated_at
from settings where id = 1`

	lockSettings = selectSettings + ` for update`

	updateSettings = `
update settings set name = $1, description = $2, contact_email = $3, country = $4, locale = $5, currency = $6, currencies = $7,
	prices_include_tax = $8, theme = theme || jsonb_build_object('accent_color', $9::text), locales = $10, time_zone = $11, version = version + 1, updated_at = now()
where id = 1 returning version, updated_at`

	// mirrorSettings copies what the control database keeps of a store's settings.
	mirrorSettings = `
update stores set name = $2, country = $3, currency = $4, version = version + 1, updated_at = now()
where id = $1 and (name, country, currency) is distinct from ($2, $3, $4) and status <> 'purged'`
)

// Settings reads the settings of the side that tx is in.
func (s *Service) Settings(ctx context.Context, tx *postgres.Tx) (Settings, error) {
	return readSettings(tx.QueryRow(ctx, selectSettings))
}

func readSettings(r row) (Settings, error) {
	var v Settings
	err := r.Scan(&v.Name, &v.Description, &v.ContactEmail, &v.Country, &v.Locale, &v.Locales, &v.Currency, &v.Currencies, &v.PricesIncludeTax, &v.AccentColor, &v.TimeZone, &v.Version, &v.UpdatedAt)
	if err != nil {
		return Settings{}, fmt.Errorf("read settings: %w", err)
	}
	if v.AccentColor == "" {
		v.AccentColor = DefaultAccent
	}
	v.UpdatedAt = v.UpdatedAt.UTC()
	v.Currencies = mainFirst(v.Currency, v.Currencies)
	return v, nil
}

// knownZone says whether there is a time zone of a name, as IANA's database has them.
func knownZone(name string) bool {
	if name == "" || name == "Local" {
		return false
	}
	_, err := time.LoadLocation(name)
	return err == nil
}

// mainFirst is the list with the main currency at its head.
func mainFirst(currency string, all []string) []string {
	list := []string{currency}
	for _, c := range all {
		if !slices.Contains(list, c) {
			list = append(list, c)
		}
	}
	return list
}

// ChangeSettings changes the settings of the side that tx is in. What the control
// database keeps of them follows at once after the commit.
func (s *Service) ChangeSettings(ctx context.Context, tx *postgres.Tx, change SettingsChange) (Settings, error) {
	before, err := readSettings(tx.QueryRow(ctx, lockSettings))
	if err != nil {
		return Settings{}, err
	}
	if change.IfVersion != 0 && change.IfVersion != before.Version {
		return Settings{}, problem.New(problem.Stale, "stale", "The store has changed since the version in If-Match.")
	}
	after := change.apply(before)
	if err := after.Validate(); err != nil {
		return Settings{}, err
	}
	err = tx.QueryRow(ctx, updateSettings, after.Name, after.Description, after.ContactEmail, after.Country, after.Locale, after.Currency,
		after.Currencies, after.PricesIncludeTax, after.AccentColor, after.Locales, after.TimeZone).Scan(&after.Version, &after.UpdatedAt)
	if err != nil {
		return Settings{}, fmt.Errorf("write settings: %w", err)
	}
	after.UpdatedAt = after.UpdatedAt.UTC()
	if s.config.Changed != nil {
		if err := s.config.Changed(ctx, tx, before, after); err != nil {
			return Settings{}, err
		}
	}
	id := tx.Store.ID
	journal.Audit(ctx, tx, journal.Entry{Action: "store.update", ObjectID: id, Before: before, After: after})
	rec, err := s.ByID(ctx, id, tx.Store.Mode)
	if err != nil {
		return Settings{}, err
	}
	journal.Event(ctx, tx, "store.updated", id, EventData{ID: id, Name: after.Name, Address: rec.Address, State: rec.Status})
	if tx.Store.Mode == principal.Live {
		s.mirrorAfter(ctx, tx, before, after)
	}
	Touch(tx)
	return after, nil
}

func (c SettingsChange) apply(v Settings) Settings {
	for _, field := range []struct {
		to    *string
		given *string
	}{
		{&v.Name, c.Name}, {&v.Description, c.Description}, {&v.ContactEmail, c.ContactEmail}, {&v.Country, c.Country},
		{&v.Locale, c.Locale}, {&v.Currency, c.Currency}, {&v.AccentColor, c.AccentColor}, {&v.TimeZone, c.TimeZone},
	} {
		if field.given != nil {
			*field.to = strings.TrimSpace(*field.given)
		}
	}
	if c.PricesIncludeTax != nil {
		v.PricesIncludeTax = *c.PricesIncludeTax
	}
	if c.Currencies != nil {
		v.Currencies = c.Currencies
	}
	if c.Locales != nil {
		v.Locales = slices.Clone(c.Locales)
	}
	if name, ok := locales.Parse(v.Locale); ok {
		v.Locale = name
	}
	// A main currency that was not sold in before is from now on, unless a list without it
	// was given, which Validate refuses.
	if c.Currency != nil && c.Currencies == nil {
		v.Currencies = append([]string{v.Currency}, v.Currencies...)
	}
	if slices.Contains(v.Currencies, v.Currency) {
		v.Currencies = mainFirst(v.Currency, v.Currencies)
	}
	return v
}

// Validate names what is wrong with settings. The problem's code is that of the first
// fault.
func (v Settings) Validate() error {
	var wrong *problem.Problem
	refuse := func(kind problem.Kind, code, pointer, detail string) {
		if wrong == nil {
			wrong = problem.New(kind, code, "%s", detail)
		}
		wrong.At(pointer, code, "%s", detail)
	}
	if n := utf8.RuneCountInString(v.Name); n == 0 || n > maxName {
		refuse(problem.Invalid, "invalid_request", "/name", "A store has a name.")
	}
	if !KnownCountry(v.Country) {
		refuse(problem.Unprocessable, "unknown_country", "/country", "ISO 3166 knows no country with this code.")
	}
	if _, ok := locales.Parse(v.Locale); !ok {
		refuse(problem.Invalid, "invalid_request", "/locale", "This is not the tag of a language, with or without a script and a region.")
	}
	if !knownZone(v.TimeZone) {
		refuse(problem.Unprocessable, "unknown_time_zone", "/time_zone", "There is no time zone of this name in the database of IANA, such as Europe/Berlin.")
	}
	v.locales(refuse)
	for i, currency := range v.Currencies {
		if !money.Known(currency) {
			refuse(problem.Unprocessable, "unknown_currency", fmt.Sprintf("/currencies/%d", i), "There is no currency with this code that prices can be in.")
		}
	}
	if !money.Known(v.Currency) {
		refuse(problem.Unprocessable, "unknown_currency", "/currency", "There is no currency with this code that prices can be in.")
	} else if !slices.Contains(v.Currencies, v.Currency) {
		refuse(problem.Unprocessable, "currency_not_sold", "/currencies", "The main currency is among those that are sold in.")
	}
	if wrong == nil {
		return nil
	}
	return wrong
}

// locales writes the locales that the store is translated into as they are called, and names
// what is wrong with them.
func (v Settings) locales(refuse func(kind problem.Kind, code, pointer, detail string)) {
	if len(v.Locales) > mostLocales {
		refuse(problem.Unprocessable, "invalid_locales", "/locales", fmt.Sprintf("A store is translated into %d locales at most.", mostLocales))
	}
	seen := map[string]bool{v.Locale: true}
	for i, l := range v.Locales {
		at := fmt.Sprintf("/locales/%d/locale", i)
		name, ok := locales.Parse(l.Locale)
		switch {
		case !ok:
			refuse(problem.Unprocessable, "invalid_locales", at, "This is not the tag of a language, with or without a script and a region.")
		case seen[name]:
			refuse(problem.Unprocessable, "invalid_locales", at, "It is there already, or is what the store is written in.")
		}
		seen[name], v.Locales[i].Locale = true, name
	}
}

// mirrorTime bounds telling the control database within the request.
const mirrorTime = 2 * time.Second

func (s *Service) mirrorAfter(ctx context.Context, tx *postgres.Tx, before, after Settings) {
	if before.Name == after.Name && before.Country == after.Country && before.Currency == after.Currency {
		return
	}
	journal.Job(tx, JobMirror, struct{}{})
	ref := tx.Store
	tx.AfterCommit(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), mirrorTime)
		defer cancel()
		if err := s.Mirror(postgres.WithStore(ctx, ref)); err != nil {
			s.config.Log.WarnContext(ctx, "a job will tell the control database of a store's settings", "store", ref.ID, "error", err)
		}
	})
}

// Mirror has the control database keep what the settings of the context's store say now.
// It can be repeated.
func (s *Service) Mirror(ctx context.Context) error {
	ref, ok := postgres.StoreFrom(ctx)
	if !ok {
		return postgres.ErrNoStore
	}
	if ref.Mode != principal.Live {
		return nil
	}
	var now Settings
	err := s.db.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		var err error
		now, err = s.Settings(ctx, tx)
		return err
	})
	if err != nil {
		return fmt.Errorf("mirror settings of store %s: %w", ref.ID, err)
	}
	err = s.db.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		tag, err := tx.Exec(ctx, mirrorSettings, ref.ID, now.Name, now.Country, now.Currency)
		if err != nil || tag.RowsAffected() == 0 {
			return err // as it is already
		}
		rec, err := s.GetTx(ctx, tx, ref.ID)
		s.forgetAfter(ctx, tx, rec)
		return err
	})
	if err != nil {
		return fmt.Errorf("mirror settings of store %s: %w", ref.ID, err)
	}
	return nil
}

// isMissing says whether err tells that there is no such store.
func isMissing(err error) bool { return problem.Is(err, "not_found") }
