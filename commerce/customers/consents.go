package customers

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/stoacommerce/stoa/commerce/address"
	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/principal"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/platform/token"
)

// Whether somebody may be written to about new things stands in customers.accepts_marketing
// and accepts_sms_marketing, and how it came to be so in marketing_consents: a row for each
// time that they agreed or took it back, which is the proof of it and is never changed.

// The channels that somebody is written to by.
const (
	byMail = "email"
	bySMS  = "sms"
)

// The ways in which somebody agrees, or takes it back.
const (
	byDoubleOptIn = "double_opt_in" // asked for, and confirmed by a link that was sent to the address
	byAccount     = "account"       // said so, signed in
	byStaff       = "staff"         // the merchant wrote down what was agreed to elsewhere
	byLink        = "link"          // followed the link of a mail to be written to no more
)

// maxWording is how many characters the words have at most that somebody agreed to.
const maxWording = 2000

// Asked is what somebody agreed to, when and from where, where it is still to be confirmed.
type Asked struct {
	Wording string    `json:"wording,omitempty"`
	At      time.Time `json:"at"`
	IP      string    `json:"ip"`
}

func asked(ctx context.Context, wording string) *Asked {
	return &Asked{Wording: strings.TrimSpace(wording), At: clock.Now(), IP: principal.From(ctx).IP}
}

// consent is one time that somebody agreed, or took it back.
type consent struct {
	channel string // empty for byMail
	granted bool
	method  string
	wording string
	asked   *Asked // of a double opt-in
}

const consentSQL = `insert into marketing_consents (id, customer_id, email, granted, method, wording, requested_at, requested_ip, ip, actor_kind, actor_id, actor, channel)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`

// agreed writes down a consent that was given or taken back.
func agreed(ctx context.Context, tx *postgres.Tx, c Customer, k consent) error {
	who, requested, from := principal.From(ctx), (*time.Time)(nil), ""
	if k.asked != nil {
		requested, from, k.wording = &k.asked.At, k.asked.IP, k.asked.Wording
	}
	_, err := tx.Exec(ctx, consentSQL, ids.New("mco"), c.ID, c.Email, k.granted, k.method, k.wording, requested, from, who.IP, string(who.Kind), who.ID, who.Label, cmp.Or(k.channel, byMail))
	if err != nil {
		return fmt.Errorf("write down the consent of %s: %w", c.ID, err)
	}
	if k.channel == bySMS {
		return nil // which customer.updated tells of
	}
	name := "customer.unsubscribed"
	if k.granted {
		name = "customer.subscribed"
	}
	journal.Event(ctx, tx, name, c.ID, c)
	return nil
}

// changed writes down that a change of a customer was one of consent too.
func (k kept) changed(ctx context.Context, tx *postgres.Tx, c Customer, before kept, wording *string) error {
	said := consent{method: byStaff}
	if principal.From(ctx).Kind == principal.Customer {
		said.method = byAccount
	}
	if wording != nil {
		said.wording = strings.TrimSpace(*wording)
	}
	for _, of := range []struct {
		channel     string
		before, now bool
	}{{byMail, before.AcceptsMarketing, k.AcceptsMarketing}, {bySMS, before.AcceptsSMS, k.AcceptsSMS}} {
		if of.before == of.now {
			continue
		}
		said.channel, said.granted = of.channel, of.now
		if err := agreed(ctx, tx, c, said); err != nil {
			return err
		}
	}
	return nil
}

// Subscribe keeps that somebody wants to be written to, and has a mail written with the link
// that confirms it: anybody could have given the address. It says the same of all addresses.
func (s *Service) Subscribe(ctx context.Context, tx *postgres.Tx, email, wording string) error {
	email = address.Email(email)
	p := problem.New(problem.Unprocessable, "details_invalid", "This cannot be taken.")
	if !address.ValidEmail(email) {
		p.At("/email", "email", "This is not an e-mail address.")
	}
	fits(p, "/wording", wording, maxWording)
	if err := p.OrNil(); err != nil {
		return err
	}
	place := make([]byte, 32)
	rand.Read(place) // never fails
	raw, err := json.Marshal(subscription{email, asked(ctx, wording)})
	if err == nil {
		_, err = tx.Exec(ctx, `insert into customer_tokens (hash, purpose, data, expires_at) values ($1, 'newsletter', $2::jsonb, now() + $3::interval)`, place, string(raw), verifyTime)
	}
	if err != nil {
		return fmt.Errorf("keep a subscription: %w", err)
	}
	journal.Audit(ctx, tx, journal.Entry{Action: "customer.request_subscription"})
	args := newMail(ctx, Subscribed, email)
	args.Registration = hex.EncodeToString(place)
	journal.Job(tx, JobMail, args)
	return nil
}

// accepting is what the audit tells of whether somebody may be written to.
func accepting(is bool) any { return map[string]bool{"accepts_marketing": is} }

// subscription is what a token confirms.
type subscription struct {
	Email string `json:"email"`
	Asked *Asked `json:"asked"`
}

const subscribeSQL = `
with was as (select accepts_marketing from customers where email = $2)
insert into customers as known (id, email, email_verified_at, accepts_marketing) values ($1, $2, now(), true)
on conflict (email) do update set email_verified_at = coalesce(known.email_verified_at, now()), accepts_marketing = true, version = known.version + 1, updated_at = now()
returning id, xmax = 0, coalesce((select accepts_marketing from was), false)`

// ConfirmSubscription takes the token of a mail: whoever holds it may be written to.
func (s *Service) ConfirmSubscription(ctx context.Context, tx *postgres.Tx, secret string) error {
	var raw []byte
	err := tx.QueryRow(ctx, `delete from customer_tokens where hash = $1 and purpose = 'newsletter' and expires_at > now() returning data`, token.Hash(secret)).Scan(&raw)
	if errors.Is(err, postgres.ErrNoRows) {
		return invalidToken()
	}
	var wish subscription
	if err == nil {
		err = json.Unmarshal(raw, &wish)
	}
	c, fresh, before := Customer{Email: wish.Email, EmailVerified: true}, false, false
	if err == nil {
		err = tx.QueryRow(ctx, subscribeSQL, ids.New("cus"), wish.Email).Scan(&c.ID, &fresh, &before)
	}
	if err == nil {
		_, err = tx.Exec(ctx, `delete from customer_tokens where purpose = 'newsletter' and data->>'email' = $1`, wish.Email)
	}
	if err != nil {
		return fmt.Errorf("confirm a subscription: %w", err)
	}
	if fresh {
		journal.Event(ctx, tx, "customer.created", c.ID, c)
	}
	journal.Audit(ctx, tx, journal.Entry{Action: "customer.subscribe", ObjectID: c.ID, Before: accepting(before), After: accepting(true)})
	return agreed(ctx, tx, c, consent{granted: true, method: byDoubleOptIn, asked: wish.Asked})
}

const (
	// metSQL makes a customer of whoever the cart $1 is of, so that it can be kept that they
	// want no mails.
	metSQL = `with made as (
	insert into customers (id, email) select $2, email from carts where id = $1 and email <> '' on conflict (email) do nothing returning id
)
select id from made union all select k.id from customers k join carts c on c.email = k.email where c.id = $1`

	quietSQL = `select email, email_verified_at is not null, accepts_marketing, accepts_marketing or not coalesce((
	select not granted from marketing_consents m where m.customer_id = c.id and m.channel = 'email' order by m.id desc limit 1), false)
from customers c where id = $1 for update`
)

// Unsubscribe keeps that somebody is not to be written to about new things any more: the
// customer with an ID, or whoever the cart with that ID is of. Who asks holds the link of a
// mail. It may be asked for again and again.
func (s *Service) Unsubscribe(ctx context.Context, tx *postgres.Tx, id string) error {
	if ids.Valid("cart", id) {
		err := tx.QueryRow(ctx, metSQL, id, ids.New("cus")).Scan(&id)
		if errors.Is(err, postgres.ErrNoRows) {
			return problem.Missing("subscription")
		}
		if err != nil {
			return fmt.Errorf("unsubscribe: %w", err)
		}
	}
	c, before, loud := Customer{ID: id}, false, false
	err := tx.QueryRow(ctx, quietSQL, id).Scan(&c.Email, &c.EmailVerified, &before, &loud)
	switch {
	case errors.Is(err, postgres.ErrNoRows):
		return problem.Missing("subscription")
	case err == nil && !loud:
		return nil
	case err == nil:
		_, err = tx.Exec(ctx, `update customers set accepts_marketing = false, version = version + 1, updated_at = now() where id = $1`, id)
	}
	if err != nil {
		return fmt.Errorf("unsubscribe %s: %w", id, err)
	}
	journal.Audit(ctx, tx, journal.Entry{Action: "customer.unsubscribe", ObjectID: id, Before: accepting(before), After: accepting(false)})
	return agreed(ctx, tx, c, consent{method: byLink})
}

// consentsSQL gives the consents of the customer $3, the latest first; no row where there is
// no such customer.
var consentsSQL = postgres.List{
	From: `marketing_consents t where t.customer_id = $3`,
	Each: `json_build_object('id', t.id, 'email', t.email, 'channel', t.channel, 'granted', t.granted, 'method', t.method, 'wording', nullif(t.wording, ''), 'requested_at', ` + postgres.UTC("t.requested_at") + `,
		'requested_ip', nullif(t.requested_ip, ''), 'ip', nullif(t.ip, ''), 'actor', json_build_object('kind', t.actor_kind, 'id', nullif(t.actor_id, ''), 'label', t.actor), 'created_at', ` + postgres.UTC("t.created_at") + `)`,
	Order: "t.id desc", After: "t.id < $2", Position: "t.id",
}.SQL() + ` having exists (select from customers k where k.id = $3)`

// Consents is a page of how a customer agreed to be written to, and took it back.
func (s *Service) Consents(ctx context.Context, customerID, after string, limit int) (postgres.Page, error) {
	page, err := s.DB.Page(ctx, consentsSQL, limit, after, customerID)
	return postgres.Found(page, err, "customer")
}
