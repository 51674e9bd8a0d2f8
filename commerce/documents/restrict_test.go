package documents_test

import (
	"bytes"
	"context"
	"testing"

	"github.com/stoacommerce/stoa/commerce/documents"
	"github.com/stoacommerce/stoa/commerce/shoptest"
	"github.com/stoacommerce/stoa/migrations/testdb"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// TestRestrictedDocuments has two invoices be sealed, of which one was printed before, opened
// again for a reason, and sealed anew.
func TestRestrictedDocuments(t *testing.T) {
	t.Parallel()
	f, ring := open(t), testdb.Open(t).Ring
	f.seller()
	ids, before := []string{}, map[string][]byte{}
	var orders []string
	for i := range 2 {
		order, _ := f.order("Shirt")
		issued, err := f.issue(order)
		if err != nil {
			t.Fatal(err)
		}
		orders, ids = append(orders, order), append(ids, issued.ID)
		if i == 0 {
			file, err := f.service.PDF(t.Context(), issued.ID, "", documents.Reader{Staff: true})
			if err == nil {
				t.Fatal("there is a document without a store")
			}
			if file, err = f.service.PDF(f.Ctx, issued.ID, "", documents.Reader{Staff: true}); err != nil {
				t.Fatal(err)
			}
			before[issued.ID] = file.Data
		}
	}
	disclose := func(id string) (file documents.File, err error) {
		err = f.in(func(ctx context.Context, tx *postgres.Tx) error {
			file, err = f.service.Disclose(ctx, tx, ring, id, "Tax audit")
			return err
		})
		return file, err
	}
	if _, err := disclose(ids[0]); !problem.Is(err, "document_not_restricted") {
		t.Errorf("opened before it was restricted: %v", err)
	}
	for _, want := range []int64{2, 0} {
		err := f.in(func(ctx context.Context, tx *postgres.Tx) error {
			n, err := documents.Restrict(ctx, tx, ring, orders)
			if n != want {
				t.Errorf("%d were restricted, want %d", n, want)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if n := shoptest.Value[int](t, f.Shop, `select count(*) from documents where content::text like '%Ada%' or pdf is not null`); n != 0 {
		t.Errorf("%d still tell whose they are", n)
	}
	resealed := 0
	err := f.in(func(ctx context.Context, tx *postgres.Tx) error {
		return documents.Reseal(ctx, tx, tx.Store, func(box []byte, binding string) []byte {
			plain, err := ring.Open(box, binding)
			if err != nil {
				t.Error(err)
			}
			again, err := ring.Seal(plain, binding)
			if err != nil {
				t.Error(err)
			}
			resealed++
			return again
		})
	})
	if err != nil || resealed != 2 {
		t.Errorf("%d were sealed anew (%v)", resealed, err)
	}
	for _, id := range ids {
		if _, err := f.service.PDF(f.Ctx, id, "", documents.Reader{Staff: true}); !problem.Is(err, "document_restricted") {
			t.Errorf("downloaded: %v", err)
		}
		file, err := disclose(id)
		if err != nil || !bytes.HasPrefix(file.Data, []byte("%PDF")) || before[id] != nil && !bytes.Equal(file.Data, before[id]) {
			t.Errorf("opened: %v, %d bytes", err, len(file.Data))
		}
	}
	if _, err := disclose("doc_none"); !problem.Is(err, "not_found") {
		t.Errorf("which is not there: %v", err)
	}
	if n := shoptest.Value[int](t, f.Shop, `select count(*) from audit_entries where action = 'document.disclose' and reason = 'Tax audit'`); n != 2 {
		t.Errorf("%d entries in the audit", n)
	}
}
