package mailtemplates

import (
	"context"
	"fmt"
	"strings"

	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/locales"
	"github.com/stoacommerce/stoa/platform/mail"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// Change is what mails are to say: nil leaves a text as it is, and one of nil has it be the
// default's.
type Change struct {
	Subject, Body **string
	Version       int // that is meant; zero is any
}

// Reset has mails say the default.
func Reset(version int) Change {
	var none *string
	return Change{&none, &none, version}
}

// event is the data of an event, in the contract's shape.
type event struct {
	Kind   mail.Kind `json:"kind"`
	Locale string    `json:"locale"`
}

// audited is what the audit keeps, in the words of the update.
type audited struct {
	Locale  string  `json:"locale"`
	Subject *string `json:"subject"`
	Body    *string `json:"body_html"`
}

// Write changes what mails of a kind say in one of the store's locales.
func Write(ctx context.Context, tx *postgres.Tx, kind mail.Kind, locale string, change Change) error {
	if !kind.SentByStores() {
		return problem.Missing("kind of mail")
	}
	name, ok := locales.Parse(locale)
	if !ok {
		return unknownLocale()
	}
	// Whoever writes it first makes the row, and others wait.
	if _, err := tx.Exec(ctx, `insert into mail_templates as t (kind, locale) values ($1, $2) on conflict (kind, locale) do update set version = t.version`, string(kind), name); err != nil {
		return fmt.Errorf("hold the template of %s: %w", kind, err)
	}
	k, err := read(ctx, tx, kind)
	if err != nil {
		return err
	}
	if name, err = k.known(name); err != nil {
		return err
	}
	now := Set{k}
	before, _ := now.at(name)
	if err := problem.Outdated(before.Version+1, change.Version); err != nil {
		return err
	}
	after, standard := before, now.without(name).For(kind, name)
	set(&after.Subject, change.Subject, standard.Subject)
	set(&after.Body, change.Body, standard.Body)
	if same(before.Subject, after.Subject) && same(before.Body, after.Body) {
		return nil
	}
	if err := Check(kind, after.over(standard)); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `update mail_templates set subject = $3, body_html = $4, version = version + 1, updated_at = now() where kind = $1 and locale = $2`,
		string(kind), name, after.Subject, after.Body); err != nil {
		return fmt.Errorf("keep the template of %s: %w", kind, err)
	}
	journal.Event(ctx, tx, "mail_template.updated", string(kind), event{kind, name})
	journal.Audit(ctx, tx, journal.Entry{
		Action: "mail_template.update", ObjectID: string(kind),
		Before: audited{name, before.Subject, before.Body}, After: audited{name, after.Subject, after.Body},
	})
	return nil
}

// set gives a text what it is to be. One that is the default's is not kept.
func set(text **string, change **string, standard string) {
	if change == nil {
		return
	}
	*text = *change
	if *text != nil && strings.TrimSpace(**text) == strings.TrimSpace(standard) {
		*text = nil
	}
}

func same(a, b *string) bool { return a == b || a != nil && b != nil && *a == *b }

// Check is the problem of a template by which no mails of a kind can be written.
func Check(kind mail.Kind, t mail.Template) error {
	wrong := problem.New(problem.Unprocessable, "invalid_template", "Mails cannot be written by this template.")
	for _, fault := range t.Check(kind) {
		wrong.At("/"+fault.Part, fault.Code, "%s", fault.Text)
	}
	return wrong.OrNil()
}
