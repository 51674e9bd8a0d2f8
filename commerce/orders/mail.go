package orders

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/stoacommerce/stoa/commerce/address"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/mail"
	"github.com/stoacommerce/stoa/platform/money"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/principal"
	"github.com/stoacommerce/stoa/platform/problem"
)

// JobMail is the kind of the job that writes to a shopper about an order; its arguments
// are MailArgs and Mailer does it. The mail is written when it is sent, of what is kept of
// the order.
const JobMail = "order_mail"

// The kinds of mails about orders.
const (
	Confirmation = mail.KindOrderConfirmation
	Shipped      = mail.KindOrderShipped
	RefundedMail = mail.KindOrderRefunded
	ReturnMail   = mail.KindOrderReturn
	PaymentMail  = mail.KindOrderPayment
	FailedMail   = mail.KindPaymentFailed
)

// MailArgs say which mail is to be written.
type MailArgs struct {
	MailID       string    `json:"mail_id"` // drawn by Mail, so that sending twice can be noticed
	Kind         mail.Kind `json:"kind"`
	OrderID      string    `json:"order_id"`
	FulfilmentID string    `json:"fulfilment_id,omitempty"`
	RefundID     string    `json:"refund_id,omitempty"`
	ReturnID     string    `json:"return_id,omitempty"`
	ReturnState  string    `json:"return_state,omitempty"` // that it tells of
}

// Mail has a mail written once the transaction is committed.
func Mail(tx *postgres.Tx, args MailArgs) {
	args.MailID = ids.New("mail")
	journal.Job(tx, JobMail, args)
}

// JobLink is the kind of the job that mails the link to an order once more; its arguments are
// LinkArgs.
const JobLink = "order_link"

// LinkArgs are what somebody says of an order of theirs.
type LinkArgs struct {
	MailID string `json:"mail_id"`
	Number int64  `json:"number"`
	Email  string `json:"email"`
}

// RequestLink has the confirmation of an order, with its link, mailed once more to the address
// that it was placed under, if that is the one given. Whether it is is found out when the mail
// is written: asking tells it neither by words nor by time.
func RequestLink(ctx context.Context, tx *postgres.Tx, number int64, email string) {
	journal.Audit(ctx, tx, journal.Entry{Action: "order.request_link"})
	journal.Job(tx, JobLink, LinkArgs{ids.New("mail"), number, address.Email(email)})
}

// SendLink mails the confirmation of an order once more, if there is one of this number that
// was placed under this address.
func (m *Mailer) SendLink(ctx context.Context, args LinkArgs) error {
	raw, err := m.DB.JSON(ctx, `select to_json(id)::text from orders where number = $1::bigint and email = $2 and state <> 'pending'`, strconv.FormatInt(args.Number, 10), args.Email)
	if errors.Is(err, postgres.ErrNoRows) {
		return nil
	}
	again := MailArgs{MailID: args.MailID, Kind: Confirmation}
	if err == nil {
		err = json.Unmarshal(raw, &again.OrderID)
	}
	if err != nil {
		return fmt.Errorf("look for an order by its number: %w", err)
	}
	return m.Send(ctx, again)
}

// Links knows where shoppers find things of the context's store.
type Links interface {
	Order(ctx context.Context, orderID string) (string, error)
}

// Mailer writes the mails about orders.
type Mailer struct {
	DB    *postgres.DB
	Post  mail.Post
	Links Links
}

// mailSQL is all that a mail about the order $1 tells; $2, $3 and $4 are the fulfilment, the
// refund and the return that it is about, or empty for the latest.
var mailSQL = `
select json_build_object('number', s.order_prefix || o.number, 'email', o.email, 'locale', ` + localeSQL + `, 'currency', o.currency, 'placed_at', o.placed_at,
	'shipping_address', o.shipping_address, 'billing_address', o.billing_address, 'method', coalesce(o.shipping_method->>'name', ''),
	'tax_included', o.prices_include_tax, 'subtotal', o.subtotal_amount,
	'discount', o.discount_amount, 'shipping', o.shipping_amount, 'tax', o.tax_amount, 'total', o.total_amount, 'credit', ` + byCredit + `,
	'lines', (select json_agg(json_build_object('id', l.id, 'title', l.title, 'variant', l.variant_title, 'quantity', l.quantity,
		'total', l.total_amount + l.discount_amount)
		order by l.position) from order_lines l where l.order_id = o.id),
	'instructions', coalesce(` + instructionsSQL + `, ''),
	'outstanding', ` + outstandingSQL + `,
	'fulfilment', (select json_build_object('lines', f.lines, 'carrier', f.carrier, 'number', f.tracking_number, 'url', f.tracking_url)
		from fulfilments f where f.order_id = o.id and $2 in (f.id, '') order by f.id desc limit 1),
	'refund', (select json_build_object('amount', r.amount - r.set_off_amount, 'reason', r.reason, 'full', o.payment_state = 'refunded')
		from refunds r where r.order_id = o.id and $3 in (r.id, '') order by r.id desc limit 1),
	'return', (select json_build_object('state', b.state, 'lines', b.lines, 'message', b.message)
		from returns b where b.order_id = o.id and $4 in (b.id, '') order by b.id desc limit 1)
)::text from orders o cross join settings s where o.id = $1`

type mailed struct {
	Number, Email, Currency, Method string
	Locale                          string
	Instructions                    string
	PlacedAt                        time.Time        `json:"placed_at"`
	ShippingAddress                 *address.Address `json:"shipping_address"`
	BillingAddress                  *address.Address `json:"billing_address"`
	TaxIncluded                     bool             `json:"tax_included"`
	Subtotal, Discount, Shipping    int64
	Tax, Total, Credit, Outstanding int64
	Lines                           []mailedLine
	Fulfilment                      *struct {
		Lines                []LineQuantity
		Carrier, Number, URL string
	}
	Refund *struct {
		Amount int64
		Reason string
		Full   bool
	}
	Return *struct {
		State   string
		Lines   []LineQuantity
		Message string
	}
}

type mailedLine struct {
	ID, Title, Variant string
	Quantity           int
	Total              int64 // before its discount, which is told of all lines together
}

// Send writes one mail and sends it.
func (m *Mailer) Send(ctx context.Context, args MailArgs) error {
	o, data, err := m.write(ctx, args)
	if errors.Is(err, postgres.ErrNoRows) {
		return nil // the order is gone, and so is what there was to tell
	}
	if err != nil {
		return fmt.Errorf("mail about order %s: %w", args.OrderID, err)
	}
	if (args.Kind == PaymentMail || args.Kind == FailedMail) && o.Outstanding == 0 {
		return nil // it was paid meanwhile
	}
	letter := mail.NewLetter(o.Email, data)
	letter.ToName, letter.Locale = o.name(), o.Locale
	if args.MailID != "" {
		letter.ID = args.MailID
	}
	if err := m.Post.Send(ctx, letter); err != nil {
		return fmt.Errorf("mail about order %s: %w", args.OrderID, err)
	}
	return nil
}

// Tells is what a mail of a kind would tell of an order: of its latest parcel, refund or
// return. An order that has nothing of the kind to tell is a problem that says so.
func (m *Mailer) Tells(ctx context.Context, kind mail.Kind, orderID string) (mail.Data, error) {
	_, data, err := m.write(ctx, MailArgs{Kind: kind, OrderID: orderID})
	if errors.Is(err, errNothing) {
		return nil, problem.New(problem.Unprocessable, "nothing_to_tell", "A mail of this kind has nothing to tell of this order.").
			At("/order_id", "nothing_to_tell", "A mail of this kind has nothing to tell of this order.")
	}
	return postgres.Found(data, err, "order")
}

// write reads an order, and gives what a mail tells of it.
func (m *Mailer) write(ctx context.Context, args MailArgs) (o mailed, data mail.Data, err error) {
	raw, err := m.DB.JSON(ctx, mailSQL, args.OrderID, args.FulfilmentID, args.RefundID, args.ReturnID)
	if err == nil {
		err = json.Unmarshal(raw, &o)
	}
	if err != nil {
		return o, nil, fmt.Errorf("read the order: %w", err)
	}
	url, err := m.Links.Order(ctx, args.OrderID)
	if err != nil {
		return o, nil, fmt.Errorf("address of the order: %w", err)
	}
	data, err = o.data(ctx, args, url)
	return o, data, err
}

// errNothing is what there is to tell by a mail of what an order does not have.
var errNothing = errors.New("there is nothing to tell")

// data is what a mail tells.
func (o mailed) data(ctx context.Context, args MailArgs, url string) (mail.Data, error) {
	kind := args.Kind
	amount := func(n int64) money.Money { return money.New(n, o.Currency) }
	switch {
	case kind == Confirmation:
		return mail.OrderConfirmation{
			Name: o.name(), Number: o.Number, PlacedAt: o.PlacedAt, URL: url, Lines: o.lines(),
			Subtotal: amount(o.Subtotal), Discount: amount(o.Discount), Shipping: amount(o.Shipping), ShippingMethod: o.Method,
			Tax: amount(o.Tax), TaxIncluded: o.TaxIncluded, Total: amount(o.Total), Credit: amount(o.Credit), Due: amount(o.Total - o.Credit),
			ShippingAddress: mailAddress(o.ShippingAddress), BillingAddress: mailAddress(o.BillingAddress),
			Instructions: o.Instructions, Test: principal.From(ctx).Mode == principal.Test,
		}, nil
	case kind == Shipped && o.Fulfilment != nil:
		f := o.Fulfilment
		return mail.OrderShipped{
			Name: o.name(), Number: o.Number, URL: url, Lines: o.items(f.Lines),
			Carrier: f.Carrier, TrackingNumber: f.Number, TrackingURL: f.URL, ShippingAddress: mailAddress(o.ShippingAddress),
		}, nil
	case kind == PaymentMail:
		return mail.OrderPayment{Name: o.name(), Number: o.Number, URL: url, Outstanding: amount(o.Outstanding)}, nil
	case kind == FailedMail:
		return mail.PaymentFailed{Number: o.Number, Amount: amount(o.Outstanding), URL: url}, nil
	case kind == RefundedMail && o.Refund != nil:
		return mail.OrderRefunded{
			Name: o.name(), Number: o.Number, URL: url, Amount: amount(o.Refund.Amount), Full: o.Refund.Full, Reason: o.Refund.Reason,
		}, nil
	case kind == ReturnMail && o.Return != nil:
		return mail.OrderReturn{
			Name: o.name(), Number: o.Number, URL: url, State: cmp.Or(args.ReturnState, o.Return.State), Lines: o.items(o.Return.Lines), Message: o.Return.Message,
		}, nil
	}
	return nil, fmt.Errorf("%w by %q", errNothing, kind)
}

// lines are the order's lines.
func (o mailed) lines() []mail.Line {
	var lines []mail.Line
	for _, l := range o.Lines {
		if l.Quantity > 0 {
			lines = append(lines, mail.Line{Title: l.Title, Variant: l.Variant, Quantity: l.Quantity, Total: money.New(l.Total, o.Currency)})
		}
	}
	return lines
}

// items are so much of the order's lines.
func (o mailed) items(quantities []LineQuantity) []mail.Item {
	var items []mail.Item
	for _, l := range o.Lines {
		for _, q := range quantities {
			if q.LineID == l.ID {
				items = append(items, mail.Item{Title: l.Title, Variant: l.Variant, Quantity: int(q.Quantity)})
			}
		}
	}
	return items
}

// name is what the shopper is called.
func (o mailed) name() string {
	for _, a := range []*address.Address{o.ShippingAddress, o.BillingAddress} {
		if a != nil {
			// A header bears so much of it, and an address may have more.
			name := []rune(a.Name)
			return string(name[:min(len(name), 80)])
		}
	}
	return ""
}

func mailAddress(a *address.Address) mail.Address {
	if a == nil {
		return mail.Address{}
	}
	return mail.Address{
		Name: a.Name, Company: a.Company, Line1: a.Line1, Line2: a.Line2, PostalCode: a.PostalCode, City: a.City, Region: a.Region, Country: a.Country,
	}
}
