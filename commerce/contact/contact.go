// Package contact is what people write to a shop: messages, and declarations that they withdraw
// from a contract. They become mails, and nothing else of them is kept, but that a withdrawal
// stands in its order's timeline.
package contact

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/stoacommerce/stoa/commerce/address"
	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/mail"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// The bounds of what can be written.
const (
	mostName = 255
	mostText = 5000
)

// Message is what somebody wants to say to a shop.
type Message struct {
	Name, Email, Text string
	Order             string // the number of the order that it is about, as they write it; may be empty
}

// Withdrawal is somebody's declaration that they withdraw from a contract, as Article 11a of
// Directive 2011/83/EU has it. It counts as it is, whether or not an order is found that it is of.
type Withdrawal struct {
	Name, Email, Order string
	Text               string // of what, where it is not all of it; may be empty
	Locale             string // of the mail that confirms it
}

// tidy trims what was written and says what is wrong with it.
func tidy(name, email, order, text *string, least int) *problem.Problem {
	wrong := problem.New(problem.Unprocessable, "details_invalid", "This cannot be sent as it is.")
	for _, line := range []struct {
		text    *string
		pointer string
		least   int
	}{{name, "/name", 1}, {order, "/order_number", least}} {
		*line.text = strings.TrimSpace(*line.text)
		switch n := utf8.RuneCountInString(*line.text); {
		case n < line.least:
			wrong.At(line.pointer, "required", "It is empty.")
		case n > mostName:
			wrong.At(line.pointer, "maxLength", "It has %d characters, and may have %d.", n, mostName)
		case strings.ContainsFunc(*line.text, unicode.IsControl):
			wrong.At(line.pointer, "characters", "It holds characters that are not text.")
		}
	}
	if *email = address.Email(*email); !address.ValidEmail(*email) {
		wrong.At("/email", "email", "This is no e-mail address.")
	}
	*text = strings.TrimSpace(*text)
	if n := utf8.RuneCountInString(*text); n > mostText {
		wrong.At("/message", "maxLength", "It has %d characters, and may have %d.", n, mostText)
	}
	return wrong
}

// shopEmail is where the shop is written to.
func shopEmail(ctx context.Context, tx *postgres.Tx) (email string, err error) {
	if err := tx.QueryRow(ctx, `select contact_email from settings where id = 1`).Scan(&email); err != nil {
		return "", fmt.Errorf("read where the shop is written to: %w", err)
	}
	return email, nil
}

// Write mails a message to the shop, which answers it to whoever wrote it.
func Write(ctx context.Context, tx *postgres.Tx, m Message) error {
	wrong := tidy(&m.Name, &m.Email, &m.Order, &m.Text, 0)
	if m.Text == "" {
		wrong.At("/message", "required", "It is empty.")
	}
	if err := wrong.OrNil(); err != nil {
		return err
	}
	to, err := shopEmail(ctx, tx)
	if err != nil {
		return err
	}
	if to == "" {
		return problem.New(problem.Unprocessable, "no_contact_address", "The shop has no address that it could be written to.")
	}
	letter := mail.NewLetter(to, mail.ContactMessage{Name: m.Name, Email: m.Email, Order: m.Order, Text: m.Text})
	letter.ReplyTo = m.Email
	journal.Job(tx, mail.JobSend, letter)
	journal.Audit(ctx, tx, journal.Entry{Action: "contact.write", ObjectID: tx.Store.ID})
	return nil
}

// withdrawn is the order of a number that was placed with an address.
const withdrawn = `select id from orders where number = $1 and email = $2 and state <> 'pending'`

// Check tidies a declaration and says what is wrong with it.
func (w *Withdrawal) Check() error { return tidy(&w.Name, &w.Email, &w.Order, &w.Text, 1).OrNil() }

// Withdraw takes a declaration: who made it is mailed what they declared and when, the shop
// is told, and where the order is found it stands in its timeline.
func Withdraw(ctx context.Context, tx *postgres.Tx, w Withdrawal) error {
	if err := w.Check(); err != nil {
		return err
	}
	at := clock.Now()
	var order string
	if number, err := strconv.ParseInt(strings.TrimLeftFunc(w.Order, func(c rune) bool { return !unicode.IsDigit(c) }), 10, 64); err == nil {
		if err := tx.QueryRow(ctx, withdrawn, number, w.Email).Scan(&order); err != nil && !errors.Is(err, postgres.ErrNoRows) {
			return fmt.Errorf("look for the order of a withdrawal: %w", err)
		}
	}
	to, err := shopEmail(ctx, tx)
	if err != nil {
		return err
	}
	letter := mail.NewLetter(w.Email, mail.WithdrawalReceived{Name: w.Name, Order: w.Order, Text: w.Text, At: at})
	letter.ToName, letter.Locale = w.Name, w.Locale
	journal.Job(tx, mail.JobSend, letter)
	if to != "" {
		letter := mail.NewLetter(to, mail.WithdrawalDeclared{Name: w.Name, Email: w.Email, Order: w.Order, Text: w.Text, At: at, Found: order != ""})
		letter.ReplyTo = w.Email
		journal.Job(tx, mail.JobSend, letter)
	}
	entry := journal.Entry{Action: "order.withdraw", ObjectID: order}
	if order == "" {
		entry = journal.Entry{Action: "contact.withdraw", ObjectID: tx.Store.ID}
	}
	journal.Audit(ctx, tx, entry)
	return nil
}
