// Package mailtemplates owns what a store's mails say: for each kind of mail and each of the
// store's locales a subject and a content of the merchant's own, or the program's default.
// What a template can tell, and how a mail is made of it, is platform/mail's.
package mailtemplates

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/stoacommerce/stoa/commerce/address"
	"github.com/stoacommerce/stoa/platform/locales"
	"github.com/stoacommerce/stoa/platform/mail"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// Kind is a kind of mail as the API shows it.
type Kind struct {
	Kind      mail.Kind       `json:"kind"`
	When      string          `json:"description"`
	Edited    []string        `json:"edited_locales"`
	Variables []mail.Variable `json:"variables"`
}

// Texts are what a mail says.
type Texts struct {
	Subject string `json:"subject"`
	Body    string `json:"body_html"`
}

// Template is what mails of a kind say in a locale, as the API shows it.
type Template struct {
	Kind   mail.Kind `json:"kind"`
	Locale string    `json:"locale"`
	Edited bool      `json:"edited"`
	Texts
	Default   Texts   `json:"default"` // what they say once the merchant's own is taken away
	UpdatedAt *string `json:"updated_at"`

	Version int `json:"-"`
}

// own is the merchant's own, as it is kept; nil is the default's.
type own struct {
	Kind      mail.Kind `json:"kind"`
	Locale    string    `json:"locale"`
	Subject   *string   `json:"subject"`
	Body      *string   `json:"body_html"`
	Version   int       `json:"version"`
	UpdatedAt string    `json:"updated_at"`
}

func (o own) edited() bool { return o.Subject != nil || o.Body != nil }

// kept is what a store keeps of what its mails say.
type kept struct {
	Locale  string // the store's own
	Locales []struct{ Locale string }
	Own     []own            // of one kind, or of all
	Seller  *address.Address // of invoices
}

// keptSQL is it, of the kind $1 or, where that is empty, of all kinds.
var keptSQL = `select s.version || E'\n' || json_build_object('locale', s.locale, 'locales', s.locales, 'seller', s.invoicing->'seller'->'address', 'own', (
	select coalesce(json_agg(json_build_object('kind', t.kind, 'locale', t.locale, 'subject', t.subject, 'body_html', t.body_html, 'version', t.version,
		'updated_at', ` + postgres.UTC("t.updated_at") + `) order by t.kind, t.locale), '[]') from mail_templates t where $1 in (t.kind, ''))) from settings s where s.id = 1`

func read(ctx context.Context, from postgres.Source, kind mail.Kind) (k kept, err error) {
	o, err := from.Object(ctx, keptSQL, string(kind))
	if err == nil {
		err = json.Unmarshal(o.Data, &k)
	}
	if err != nil {
		return k, fmt.Errorf("read templates of mails: %w", err)
	}
	return k, nil
}

// Kinds are the kinds of mail that a store sends, by name, after one of them, with what their
// templates can tell as the store's own locale has it.
func Kinds(ctx context.Context, from postgres.Source, after mail.Kind) ([]Kind, error) {
	k, err := read(ctx, from, "")
	if err != nil {
		return nil, err
	}
	var list []Kind
	for _, kind := range mail.OfStores() {
		if kind <= after {
			continue
		}
		edited := []string{}
		for _, o := range k.Own {
			if o.Kind == kind && o.edited() {
				edited = append(edited, o.Locale)
			}
		}
		list = append(list, Kind{kind, kind.When(), edited, mail.Variables(kind, k.Locale)})
	}
	return list, nil
}

// Read is what mails of a kind say in one of the store's locales.
func Read(ctx context.Context, from postgres.Source, kind mail.Kind, locale string) (Template, error) {
	if !kind.SentByStores() {
		return Template{}, problem.Missing("kind of mail")
	}
	k, err := read(ctx, from, kind)
	if err != nil {
		return Template{}, err
	}
	name, err := k.known(locale)
	if err != nil {
		return Template{}, err
	}
	set := Set{k}
	said, otherwise := set.For(kind, name), set.without(name).For(kind, name)
	t := Template{
		Kind: kind, Locale: name, Version: 1, Texts: Texts{said.Subject, said.Body}, Default: Texts{otherwise.Subject, otherwise.Body},
	}
	if o, found := set.at(name); found {
		t.Version, t.Edited = o.Version+1, o.edited()
		if o.Version > 0 {
			t.UpdatedAt = &o.UpdatedAt
		}
	}
	return t, nil
}

// known is a locale's name as it is kept, if it is one of the store's.
func (k kept) known(locale string) (string, error) {
	name, ok := locales.Parse(locale)
	if !ok || name != k.Locale && !slices.Contains(k.Locales, struct{ Locale string }{name}) {
		return "", unknownLocale()
	}
	return name, nil
}

func unknownLocale() error {
	return problem.New(problem.Unprocessable, "unknown_locale", "The store does not have this locale.").
		At("/locale", "unknown", "It is none of the store’s locales.")
}
