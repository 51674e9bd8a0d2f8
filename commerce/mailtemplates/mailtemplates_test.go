package mailtemplates_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stoacommerce/stoa/commerce/mailtemplates"
	"github.com/stoacommerce/stoa/commerce/shoptest"
	"github.com/stoacommerce/stoa/migrations/testdb"
	"github.com/stoacommerce/stoa/platform/mail"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// store is a store that is written in French, and read in German and Austrian too.
type store struct{ *shoptest.Shop }

func open(t *testing.T) store {
	t.Helper()
	s := store{shoptest.New(t, testdb.Open(t))}
	s.Exec(t, `update settings set locale = 'fr', locales = '[{"locale": "de", "published": true}, {"locale": "de-AT", "published": false}]'`)
	return s
}

const kind = mail.KindOrderShipped

// write changes the subject and the content; an empty text takes one away, and "-" leaves it.
func (s store) write(locale, subject, body string, version int) error {
	given := func(text string) **string {
		value := &text
		switch text {
		case "-":
			return nil
		case "":
			value = nil
		}
		return &value
	}
	return s.DB.InStore(s.Ctx, func(ctx context.Context, tx *postgres.Tx) error {
		return mailtemplates.Write(ctx, tx, kind, locale, mailtemplates.Change{Subject: given(subject), Body: given(body), Version: version})
	})
}

func (s store) read(t *testing.T, locale string) mailtemplates.Template {
	t.Helper()
	got, err := mailtemplates.Read(s.Ctx, s.DB, kind, locale)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// says is what a mail says in a locale, in brief.
func (s store) says(t *testing.T, locale string) string {
	t.Helper()
	var set mailtemplates.Set
	counted, count := postgres.Counting(s.Ctx)
	err := s.DB.InStore(counted, func(ctx context.Context, tx *postgres.Tx) (err error) {
		set, err = mailtemplates.Of(ctx, tx, kind)
		return err
	})
	if n := count.Statements.Load(); err != nil || n != 1 {
		t.Fatalf("%d statements, %v", n, err)
	}
	said := set.For(kind, locale)
	return fmt.Sprint(said.Locale, ": ", said.Subject)
}

const german = "Ihre Bestellung {{number}} ist unterwegs"

func TestWhatMailsSay(t *testing.T) {
	s := open(t)
	steps := []struct {
		locale, subject string
		says            map[string]string // by locale
	}{
		{"", "", map[string]string{"fr": "en: Your order {{number}} is on its way", "de": "de: " + german, "de-AT": "de: " + german, "es": "en: Your order {{number}} is on its way"}},
		{"fr", "En route", map[string]string{"fr": "fr: En route", "de": "de: " + german, "es": "fr: En route", "fr-CA": "fr: En route"}},
		{"de", "Unterwegs", map[string]string{"de": "de: Unterwegs", "de-AT": "de: Unterwegs", "de-CH": "de: Unterwegs", "en-GB": "en: Your order {{number}} is on its way"}},
		{"de-at", "Am Weg", map[string]string{"de": "de: Unterwegs", "de-AT": "de-AT: Am Weg"}},
		{"de", "", map[string]string{"de": "de: " + german, "de-AT": "de-AT: Am Weg"}},
		{"de-AT", german, map[string]string{"de-AT": "de: " + german}}, // which is no edit
	}
	for _, step := range steps {
		if step.locale != "" {
			if err := s.write(step.locale, step.subject, "-", 0); err != nil {
				t.Fatal(err)
			}
		}
		for locale, want := range step.says {
			if got := s.says(t, locale); got != want {
				t.Errorf("after %s in %s, %s says %s, want %s", step.subject, step.locale, locale, got, want)
			}
		}
	}
	austrian := s.read(t, "de-AT")
	if austrian.Edited || austrian.Version != 3 || austrian.UpdatedAt == nil || austrian.Subject != german || austrian.Default.Subject != german {
		t.Errorf("%+v", austrian)
	}
	french := s.read(t, "fr")
	if !french.Edited || french.Subject != "En route" || french.Body != french.Default.Body || french.Default.Subject != "Your order {{number}} is on its way" {
		t.Errorf("%+v", french)
	}
	kinds, err := mailtemplates.Kinds(s.Ctx, s.DB, mail.KindOrderReturn)
	if err != nil || kinds[0].Kind != kind || fmt.Sprint(kinds[0].Edited) != "[fr]" || len(kinds[0].Variables) < 10 {
		t.Errorf("%+v, %v", kinds, err)
	}
	events := shoptest.Value[int](t, s.Shop, `select count(*)::int from events where type = 'mail_template.updated' and object_id = 'order_shipped'`)
	entries := shoptest.Value[int](t, s.Shop, `select count(*)::int from audit_entries where action = 'mail_template.update'`)
	if events != 5 || entries != 5 {
		t.Errorf("%d events, %d entries", events, entries)
	}
}

func TestWhatIsRefused(t *testing.T) {
	s := open(t)
	for _, c := range []struct {
		locale, subject, body string
		version               int
		want                  string
	}{
		{"es", "x", "-", 0, "unknown_locale"}, {"no locale", "x", "-", 0, "unknown_locale"}, {"de", "x", "-", 2, "stale"},
		{"de", "{{nothing}}", "-", 0, "invalid_template"}, {"de", "-", "<script></script>", 0, "invalid_template"},
	} {
		if err := s.write(c.locale, c.subject, c.body, c.version); !problem.Is(err, c.want) {
			t.Errorf("%+v: %v", c, err)
		}
	}
	if n := shoptest.Value[int](t, s.Shop, `select count(*)::int from mail_templates`); n != 0 {
		t.Errorf("%d templates are kept", n)
	}
	if err := s.write("de", "x", "<p>{{number}}</p>", 1); err != nil {
		t.Fatal(err)
	}
	if err := s.write("de", "y", "-", 1); !problem.Is(err, "stale") {
		t.Errorf("another version: %v", err)
	}
	err := s.DB.InStore(s.Ctx, func(ctx context.Context, tx *postgres.Tx) error {
		return mailtemplates.Write(ctx, tx, mail.KindTOTPChanged, "de", mailtemplates.Reset(0))
	})
	if _, failed := mailtemplates.Read(s.Ctx, s.DB, "pigeon", "de"); !problem.Is(err, "not_found") || !problem.Is(failed, "not_found") {
		t.Errorf("a kind that stores do not send: %v, %v", err, failed)
	}
	if _, err := mailtemplates.Read(s.Ctx, s.DB, kind, "es"); !problem.Is(err, "unknown_locale") {
		t.Errorf("a locale that the store does not have: %v", err)
	}
}

func TestDraftsAndSellers(t *testing.T) {
	s := open(t)
	s.Exec(t, `update settings set invoicing = '{"seller": {"address": {"name": "Linen Ltd", "line1": "1 Sample Street", "postal_code": "10115", "city": "Berlin", "country": "DE"}}}'`)
	var set mailtemplates.Set
	if err := s.DB.InStore(s.Ctx, func(ctx context.Context, tx *postgres.Tx) (err error) {
		set, err = mailtemplates.Of(ctx, tx, kind)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if got := set.Seller(); got != "Linen Ltd, 1 Sample Street, 10115 Berlin, DE" || (mailtemplates.Set{}).Seller() != "" {
		t.Errorf("it is sold by %q", got)
	}
	subject, wrong := "{{number}}!", "{{nothing}}"
	drafted, err := mailtemplates.Draft{Kind: kind, Locale: "de", Subject: &subject}.Over(set)
	if err != nil || drafted.Subject != subject || !strings.Contains(drafted.Body, "Unterwegs") {
		t.Errorf("%+v, %v", drafted, err)
	}
	for locale, body := range map[string]*string{"de": &wrong, "es": nil} {
		if _, err := (mailtemplates.Draft{Kind: kind, Locale: locale, Body: body}).Over(set); err == nil {
			t.Errorf("a draft in %s passed", locale)
		}
	}
}
