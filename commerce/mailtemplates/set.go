package mailtemplates

import (
	"context"
	"slices"
	"strings"

	"github.com/stoacommerce/stoa/platform/locales"
	"github.com/stoacommerce/stoa/platform/mail"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// Set is what a store's mails of one kind say, by locale. The zero value says the defaults.
type Set struct{ kept }

// Of reads what a store's mails of a kind say, by one statement.
func Of(ctx context.Context, tx *postgres.Tx, kind mail.Kind) (Set, error) {
	k, err := read(ctx, tx, kind)
	return Set{k}, err
}

// For is what a mail says in a locale: the merchant's own in it, or in one whose texts stand in
// for it; or else the default, if there is one in its language; or else what a mail says in the
// store's own locale.
func (s Set) For(kind mail.Kind, locale string) mail.Template {
	for _, name := range locales.Chain(locale) {
		if o, found := s.at(name); found && o.edited() {
			return o.over(s.without(name).For(kind, name))
		}
	}
	standard, spoken := mail.Default(kind, locale)
	if !spoken && locale != s.Locale {
		return s.For(kind, s.Locale)
	}
	return standard
}

// Seller is who sells, with the address, in one line: what the foot of a mail says. It is empty
// while the store has not said so.
func (s Set) Seller() string {
	a := s.kept.Seller
	if a == nil {
		return ""
	}
	parts := []string{a.Name, a.Company, a.Line1, a.Line2, strings.TrimSpace(a.PostalCode + " " + a.City), a.Country}
	return strings.Join(slices.DeleteFunc(parts, func(part string) bool { return part == "" }), ", ")
}

// at is the merchant's own in a locale.
func (s Set) at(locale string) (own, bool) {
	i := slices.IndexFunc(s.Own, func(o own) bool { return o.Locale == locale })
	if i < 0 {
		return own{Locale: locale}, false
	}
	return s.Own[i], true
}

// without is the set without the merchant's own in a locale.
func (s Set) without(locale string) Set {
	s.Own = slices.DeleteFunc(slices.Clone(s.Own), func(o own) bool { return o.Locale == locale })
	return s
}

// over is the merchant's own, and in place of what is not theirs that of another template.
func (o own) over(t mail.Template) mail.Template {
	t.Locale = o.Locale
	if o.Subject != nil {
		t.Subject = *o.Subject
	}
	if o.Body != nil {
		t.Body = *o.Body
	}
	return t
}

// Draft is a mail of a kind in one of the store's locales as a merchant wants to see it: with
// texts that are not kept yet, where there are any, and of an order or else of a sample.
type Draft struct {
	Kind          mail.Kind
	Locale        string
	Subject, Body *string
	OrderID       string
}

// Over is the draft's template where a store's mails say something, if mails can be written by it.
func (d Draft) Over(s Set) (mail.Template, error) {
	name, err := s.known(d.Locale)
	if err != nil {
		return mail.Template{}, err
	}
	t := own{Locale: name, Subject: d.Subject, Body: d.Body}.over(s.For(d.Kind, name))
	return t, Check(d.Kind, t)
}
