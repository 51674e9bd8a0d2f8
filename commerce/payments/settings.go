package payments

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/tenants/stores"
)

// Settings say how a store wants to be paid.
type Settings struct {
	Providers []string       `json:"providers"` // those that are on; the test provider always is where it exists
	Capture   Capture        `json:"capture_method"`
	Manual    []ManualMethod `json:"manual_methods"`
	Stripe    StripeAccount  `json:"stripe"`
	Version   int            `json:"version"`
}

// ManualMethod is one way to pay that no provider takes part in.
type ManualMethod struct {
	ID           string `json:"id"`
	Name         string `json:"name"`
	Instructions string `json:"instructions"` // for the shopper, once there is an order
}

// maxMethods bounds the manual methods of a store.
const maxMethods = 10

// On says whether shoppers may use a provider.
func (s Settings) On(provider string) bool { return slices.Contains(s.Providers, provider) }

// Method is the manual method with an ID, or the first where none is named.
func (s Settings) Method(id string) (ManualMethod, bool) {
	for _, m := range s.Manual {
		if m.ID == id || id == "" {
			return m, true
		}
	}
	return ManualMethod{}, false
}

const settingsSQL = `select payments from settings where id = 1`

// Read is how the store wants to be paid.
func Read(ctx context.Context, tx *postgres.Tx) (Settings, error) { return read(ctx, tx, "") }

func read(ctx context.Context, tx *postgres.Tx, lock string) (Settings, error) {
	s := Settings{Capture: Automatic, Version: 1}
	var raw []byte
	if err := tx.QueryRow(ctx, settingsSQL+lock).Scan(&raw); err != nil {
		return s, fmt.Errorf("read payment settings: %w", err)
	}
	if err := json.Unmarshal(raw, &s); err != nil {
		return s, fmt.Errorf("read payment settings: %w", err)
	}
	return s, nil
}

// Change changes payment settings; what is nil stays. Of secrets an empty text takes
// them away.
type Change struct {
	Providers []string
	Capture   *Capture
	Manual    []ManualMethod
}

// Update changes how the store wants to be paid, when the settings have the version meant;
// zero is any.
func Update(ctx context.Context, tx *postgres.Tx, meant int, change Change) (Settings, error) {
	before, err := lockSettings(ctx, tx, meant)
	if err != nil {
		return before, err
	}
	after := before
	if change.Providers != nil {
		after.Providers = change.Providers
	}
	if change.Manual != nil {
		after.Manual = change.Manual
	}
	if change.Capture != nil {
		after.Capture = *change.Capture
	}
	if err := after.check(); err != nil {
		return before, err
	}
	return write(ctx, tx, before, after)
}

// lockSettings holds the settings, which have the version meant; zero is any.
func lockSettings(ctx context.Context, tx *postgres.Tx, meant int) (Settings, error) {
	s, err := read(ctx, tx, " for no key update")
	if err == nil {
		err = problem.Outdated(s.Version, meant)
	}
	return s, err
}

func write(ctx context.Context, tx *postgres.Tx, before, after Settings) (Settings, error) {
	after.Version++
	after.Providers, after.Manual = append([]string{}, after.Providers...), append([]ManualMethod{}, after.Manual...) // never null
	if err := keep(ctx, tx, after); err != nil {
		return before, err
	}
	stores.Touch(tx) // shoppers see it
	journal.SettingsUpdated(ctx, tx, "payments")
	journal.Audit(ctx, tx, journal.Entry{Action: "payment_settings.update", ObjectID: tx.Store.ID, Before: before.Show(), After: after.Show()})
	return after, nil
}

func keep(ctx context.Context, tx *postgres.Tx, s Settings) error {
	raw, err := json.Marshal(s)
	if err == nil {
		_, err = tx.Exec(ctx, `update settings set payments = $1 where id = 1`, string(raw))
	}
	if err != nil {
		return fmt.Errorf("write payment settings: %w", err)
	}
	return nil
}

var methodID = regexp.MustCompile(`^[a-z0-9_]{1,40}$`)

// check tidies the settings and says what is wrong with them.
func (s *Settings) check() error {
	wrong := problem.New(problem.Unprocessable, "invalid_settings", "The payment settings cannot be kept as they are.")
	slices.Sort(s.Providers)
	s.Providers = slices.Compact(s.Providers)
	for i, name := range s.Providers {
		at := fmt.Sprintf("/providers/%d", i)
		switch {
		case name != ManualName && name != StripeName:
			wrong.At(at, "enum", "It is manual or stripe.")
		case name == ManualName && len(s.Manual) == 0:
			wrong.At(at, "required", "It needs at least one manual method.")
		case name == StripeName && s.Stripe.ID == "":
			wrong.At(at, "required", "Connect a Stripe account or set a key first.")
		}
	}
	if s.Capture != Automatic && s.Capture != Manual {
		wrong.At("/capture_method", "enum", "It is automatic or manual.")
	}
	if len(s.Manual) > maxMethods {
		wrong.At("/manual_methods", "maxItems", "There may be %d.", maxMethods)
	}
	seen := map[string]bool{}
	for i := range s.Manual {
		m, at := &s.Manual[i], fmt.Sprintf("/manual_methods/%d", i)
		m.Name, m.Instructions = strings.TrimSpace(m.Name), strings.TrimSpace(m.Instructions)
		if !methodID.MatchString(m.ID) {
			wrong.At(at+"/id", "pattern", "It has up to 40 lower-case letters, digits and underscores.")
		}
		if seen[m.ID] {
			wrong.At(at+"/id", "unique", "Another one has it.")
		}
		seen[m.ID] = true
		if n := utf8.RuneCountInString(m.Name); n < 1 || n > 100 || strings.ContainsFunc(m.Name, unicode.IsControl) {
			wrong.At(at+"/name", "maxLength", "It is a line of 1 to 100 characters.")
		}
		if utf8.RuneCountInString(m.Instructions) > 2000 {
			wrong.At(at+"/instructions", "maxLength", "It may have 2000 characters.")
		}
	}
	return wrong.OrNil()
}

// Shown are settings as the API and the audit show them: without secrets.
type Shown struct {
	Providers []string       `json:"providers"`
	Capture   Capture        `json:"capture_method"`
	Manual    []ManualMethod `json:"manual_methods"`
	Stripe    *ShownStripe   `json:"stripe"`
}

// Show gives the settings as the API shows them.
func (s Settings) Show() Shown {
	return Shown{Providers: append([]string{}, s.Providers...), Capture: s.Capture, Manual: append([]ManualMethod{}, s.Manual...), Stripe: s.Stripe.shown()}
}
