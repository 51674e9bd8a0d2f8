package mailbox_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stoacommerce/stoa/migrations/testdb"
	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/mail"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/tenants/mailbox"
)

func TestMailsAreKeptOnceAndFound(t *testing.T) {
	box, ctx := mailbox.New(testdb.Open(t).DB), t.Context()
	store := ids.New("sto")
	var sent []mail.StoredMail
	for i, subject := range []string{"One", "Two", "Three"} {
		m := mail.StoredMail{
			ID: ids.New("mail"), Kind: string(mail.KindPasswordReset), Recipient: "Ann-" + store + "@example.com", Subject: subject,
			HTML: "<p>" + subject + "</p>", Text: subject, CreatedAt: clock.Now(),
		}
		if i == 1 {
			m.StoreID, m.Kind = store, string(mail.KindOrderConfirmation)
		}
		if err := box.Insert(ctx, m); err != nil {
			t.Fatal(err)
		}
		sent = append(sent, m)
	}
	again := sent[0]
	again.Subject = "Another"
	if err := box.Insert(ctx, again); err != nil {
		t.Fatalf("sent twice: %v", err)
	}
	got, err := box.Get(ctx, sent[0].ID)
	if err != nil || got != sent[0] {
		t.Errorf("got %+v, %v, want %+v", got, err, sent[0])
	}
	if _, err := box.Get(ctx, "mail_none"); !problem.Is(err, "not_found") {
		t.Errorf("a mail that is not there: %v", err)
	}

	subjects := func(f mailbox.Filter) (list []string, next string) {
		t.Helper()
		page, next, err := box.List(ctx, f)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range page {
			if m.HTML != "" || m.Text != "" || m.CreatedAt.Location() != time.UTC {
				t.Errorf("listed as %+v", m)
			}
			list = append(list, m.Subject)
		}
		return list, next
	}
	recipient := "ann-" + store + "@EXAMPLE.com"
	list, next := subjects(mailbox.Filter{Recipient: recipient, Limit: 2})
	if len(list) != 2 || list[0] != "Three" || list[1] != "Two" || next != sent[1].ID {
		t.Fatalf("first page %v, then %q", list, next)
	}
	if list, next = subjects(mailbox.Filter{Recipient: recipient, Limit: 2, After: next}); len(list) != 1 || list[0] != "One" || next != "" {
		t.Errorf("second page %v, then %q", list, next)
	}
	if list, _ = subjects(mailbox.Filter{StoreID: store}); len(list) != 1 || list[0] != "Two" {
		t.Errorf("of the store: %v", list)
	}
	if list, _ = subjects(mailbox.Filter{Recipient: recipient, Kind: mail.KindOrderConfirmation}); len(list) != 1 || list[0] != "Two" {
		t.Errorf("of a kind: %v", list)
	}
}

func TestFaultsAreToldOf(t *testing.T) {
	box := mailbox.New(testdb.Open(t).DB)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := box.List(ctx, mailbox.Filter{}); !errors.Is(err, context.Canceled) {
		t.Errorf("list: %v", err)
	}
	if _, err := box.Get(ctx, "mail_none"); !errors.Is(err, context.Canceled) {
		t.Errorf("get: %v", err)
	}
}
