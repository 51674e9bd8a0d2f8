package orders_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/stoacommerce/stoa/commerce/orders"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/mail"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// postbox keeps what is sent.
type postbox struct {
	mail.Letter
	data mail.Data
	err  error
}

func (p *postbox) Send(_ context.Context, letter mail.Letter) (err error) {
	p.Letter = letter
	if p.data, err = mail.Decode(letter.Kind, letter.Data); err != nil {
		return err
	}
	return p.err
}

type links struct{ err error }

func (l links) Order(_ context.Context, id string) (string, error) {
	return "https://shop.example/orders/" + id, l.err
}

func TestMails(t *testing.T) {
	f := open(t)
	o := f.buy(2)
	ful, err := f.fulfil(o.id, orders.LineQuantity{LineID: o.lines[1], Quantity: 1})
	if err != nil {
		t.Fatal(err)
	}
	ref, err := f.refund(orders.RefundInput{OrderID: o.id, Amount: euros(250), Reason: "It came late."})
	if err != nil {
		t.Fatal(err)
	}
	back, err := f.openReturn(orders.ReturnInput{OrderID: o.id, Message: "To Pot Street.", Lines: []orders.ReturnLine{back(o.lines[1], 1)}})
	if err != nil {
		t.Fatal(err)
	}
	box := &postbox{}
	mailer := &orders.Mailer{DB: f.DB, Post: box, Links: links{}}
	for _, c := range []struct {
		args orders.MailArgs
		want []string
		not  string
	}{
		{orders.MailArgs{Kind: orders.Confirmation, OrderID: o.id}, []string{"#1001", "Shirt", "€20.00", "€31.56", "Standard", "Berlin"}, "Tracking"},
		{orders.MailArgs{Kind: orders.Shipped, OrderID: o.id, FulfilmentID: ful}, []string{"#1001", "https://post.example/123", "Post"}, "€20.00"},
		{orders.MailArgs{Kind: orders.ReturnMail, OrderID: o.id, ReturnID: back, ReturnState: orders.ReturnApproved}, []string{"You can send back", "Shirt, M  × 1", "To Pot Street."}, "€"},
		{orders.MailArgs{Kind: orders.RefundedMail, OrderID: o.id, RefundID: ref}, []string{"€2.50", "It came late."}, "Berlin"},
	} {
		if err := mailer.Send(f.Ctx, c.args); err != nil {
			t.Fatal(err)
		}
		if box.To != "ada@example.com" || box.ToName != "Ada Example" || box.ID == "" || box.data.Kind() != c.args.Kind {
			t.Fatalf("sent %+v", box)
		}
		message, err := mail.Render("en", mail.Brand{Name: "Linen"}, box.data)
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range append(c.want, "https://shop.example/orders/"+o.id) {
			if !strings.Contains(message.Subject+message.Text, part) {
				t.Errorf("%s: %q is missing in\n%s\n%s", c.args.Kind, part, message.Subject, message.Text)
			}
		}
		if strings.Contains(message.Text, c.not) {
			t.Errorf("%s: %q is in\n%s", c.args.Kind, c.not, message.Text)
		}
	}
	if shipped := box.data.(mail.OrderRefunded); shipped.Full {
		t.Error("a part is called all")
	}
	for name, args := range map[string]orders.MailArgs{
		"of no fulfilment": {Kind: orders.Shipped, OrderID: o.id, FulfilmentID: ids.New("ful")},
		"of no refund":     {Kind: orders.RefundedMail, OrderID: o.id, RefundID: ids.New("ref")},
		"of another kind":  {Kind: mail.KindPasswordReset, OrderID: o.id},
	} {
		if err := mailer.Send(f.Ctx, args); err == nil {
			t.Errorf("a mail %s was sent", name)
		}
	}
	if err := mailer.Send(f.Ctx, orders.MailArgs{Kind: orders.Confirmation, OrderID: ids.New("ord")}); err != nil {
		t.Errorf("an order that is gone: %v", err)
	}
	again := orders.MailArgs{MailID: ids.New("mail"), Kind: orders.Confirmation, OrderID: o.id}
	if err := mailer.Send(f.Ctx, again); err != nil || box.ID != again.MailID {
		t.Errorf("mail %s was sent as %s, %v", again.MailID, box.ID, err)
	}
	box.err = errLost
	if err := mailer.Send(f.Ctx, orders.MailArgs{Kind: orders.Confirmation, OrderID: o.id}); !errors.Is(err, errLost) {
		t.Errorf("a mail that was not taken: %v", err)
	}
	mailer.Links = links{errLost}
	if err := mailer.Send(f.Ctx, orders.MailArgs{Kind: orders.Confirmation, OrderID: o.id}); !errors.Is(err, errLost) {
		t.Errorf("without an address: %v", err)
	}
	// An order of nothing to send, known by an e-mail address alone.
	f.Exec(t, `update orders set shipping_address = null, shipping_method = null where id = $1`, o.id)
	mailer.Links, box.err = links{}, nil
	if err := mailer.Send(f.Ctx, orders.MailArgs{Kind: orders.Confirmation, OrderID: o.id}); err != nil || box.ToName != "" {
		t.Errorf("a download: %q, %v", box.ToName, err)
	}
	if _, err := mail.Render("de", mail.Brand{Name: "Linen"}, box.data); err != nil {
		t.Error(err)
	}
}

// The shopper is asked for what is outstanding, and for nothing once it is paid.
func TestTheMailThatAsksForTheRest(t *testing.T) {
	t.Parallel()
	f := open(t)
	o := f.buy(1)
	box := &postbox{}
	mailer := &orders.Mailer{DB: f.DB, Post: box, Links: links{}}
	if err := mailer.Send(f.Ctx, orders.MailArgs{Kind: orders.PaymentMail, OrderID: o.id}); err != nil || box.data != nil {
		t.Errorf("of a paid order: %v, %v", box.data, err)
	}
	f.Exec(t, `update payments set released_amount = 300 where order_id = $1`, o.id)
	if err := mailer.Send(f.Ctx, orders.MailArgs{Kind: orders.PaymentMail, OrderID: o.id}); err != nil {
		t.Fatal(err)
	}
	if asked, is := box.data.(mail.OrderPayment); !is || asked.Outstanding != *euros(300) || asked.URL != "https://shop.example/orders/"+o.id {
		t.Errorf("asked for %+v", box.data)
	}
}

// The link to an order is mailed again to the address that it was placed under, whoever asks.
func TestTheLinkToAnOrder(t *testing.T) {
	f := open(t)
	o := f.buy(1)
	box := &postbox{}
	mailer := &orders.Mailer{DB: f.DB, Post: box, Links: links{}}
	for name, args := range map[string]orders.LinkArgs{
		"of another address": {Number: 1001, Email: "eve@example.com"}, "of no number": {Number: 1002, Email: "ada@example.com"},
	} {
		if err := mailer.SendLink(f.Ctx, args); err != nil || box.To != "" {
			t.Errorf("an order %s: sent to %s, %v", name, box.To, err)
		}
	}
	if err := mailer.SendLink(f.Ctx, orders.LinkArgs{MailID: "mail_1", Number: 1001, Email: "ada@example.com"}); err != nil {
		t.Fatal(err)
	}
	if sent, ok := box.data.(mail.OrderConfirmation); !ok || box.To != "ada@example.com" || box.ID != "mail_1" || sent.URL != "https://shop.example/orders/"+o.id {
		t.Errorf("sent %+v", box)
	}
	err := f.DB.InStore(f.Ctx, func(ctx context.Context, tx *postgres.Tx) error {
		orders.RequestLink(ctx, tx, 1001, " Ada@example.com")
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
