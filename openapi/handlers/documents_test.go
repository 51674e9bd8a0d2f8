package handlers_test

import (
	"strings"
	"testing"

	"github.com/stoacommerce/stoa/openapi/apitest"
	"github.com/stoacommerce/stoa/platform/ids"
)

func TestDocumentsOverHTTP(t *testing.T) {
	t.Parallel()
	s := newSelling(t)
	path, token := s.cart(2)
	id := s.shop("POST", path+"/complete", completion(2, "succeeds"), token, key()).Want(201).String("id")
	order := "/orders/" + id

	s.admin("POST", order+"/invoice", nil).WantProblem(409, "seller_missing")
	before := s.admin("GET", "/invoicing", nil).Want(200)
	if before.Get("seller.address") != nil || before.String("invoice_number_format") != "INV-{number}" {
		t.Errorf("invoicing: %s", before.Body)
	}
	seller := object{"seller": object{"address": berlin(), "tax_id": "DE123456789"}, "invoice_number_format": "R-{number:4}", "footer": "Thank you."}
	changed := s.admin("PATCH", "/invoicing", seller, "If-Match: "+before.Header.Get("ETag")).Want(200)
	if changed.String("seller.address.city") != "Berlin" || changed.String("footer") != "Thank you." {
		t.Errorf("changed: %s", changed.Body)
	}
	s.admin("PATCH", "/invoicing", seller, "If-Match: "+before.Header.Get("ETag")).WantProblem(412, "stale")
	s.admin("PATCH", "/invoicing", object{"seller": object{"address": object{"name": "A", "line1": "1", "city": "B", "country": "DE"}}}, "If-Match: "+changed.Header.Get("ETag")).WantProblem(422, "invalid_settings")
	s.admin("PATCH", "/invoicing", object{"invoice_number_format": "R"}, "If-Match: "+changed.Header.Get("ETag")).WantProblem(400, "invalid_request")

	tried := s.admin("POST", order+"/invoice?dry_run=true", nil).Want(201)
	if tried.String("number") != "R-0001" {
		t.Errorf("tried: %s", tried.Body)
	}
	invoice := s.admin("POST", order+"/invoice", nil).Want(201)
	if invoice.String("number") != "R-0001" || invoice.Get("total.amount") != 4488.0 || invoice.String("order_id") != id || invoice.Get("refund_id") != nil {
		t.Errorf("invoice: %s", invoice.Body)
	}
	if again := s.admin("POST", order+"/invoice", nil, apitest.ChangesNothing).Want(201); again.String("id") != invoice.String("id") {
		t.Errorf("issued again: %s", again.Body)
	}
	document := "/documents/" + invoice.String("id")
	read := s.admin("GET", document, nil).Want(200)
	s.admin("GET", document, nil, "If-None-Match: "+read.Header.Get("ETag")).Want(304)
	if list := s.admin("GET", "/documents?kind=invoice&order_id="+id, nil).Want(200); list.String("data.0.number") != "R-0001" {
		t.Errorf("list: %s", list.Body)
	}
	printed := s.admin("GET", document+"/pdf", nil).Want(200)
	if printed.Header.Get("Content-Type") != "application/pdf" || !strings.HasPrefix(string(printed.Body), "%PDF") || printed.Header.Get("Content-Disposition") != "inline; filename=R-0001.pdf" {
		t.Errorf("pdf: %v", printed.Header)
	}
	if slip := s.admin("GET", order+"/packing-slip", nil).Want(200); !strings.HasPrefix(string(slip.Body), "%PDF") {
		t.Error("the slip is none")
	}
	s.admin("GET", order+"/packing-slip?fulfilment_id="+ids.New("ful"), nil).WantProblem(404, "not_found")
	if slips := s.admin("GET", "/packing-slips?order_id="+id, nil).Want(200); !strings.HasPrefix(string(slips.Body), "%PDF") || slips.Header.Get("Content-Disposition") != "inline; filename=packing-slips.pdf" {
		t.Errorf("the slips: %v", slips.Header)
	}
	s.admin("GET", "/packing-slips", nil).WantProblem(400, "invalid_request")
	s.admin("GET", "/packing-slips?order_id="+id+"&order_id="+ids.New("ord"), nil).WantProblem(404, "not_found")

	// The shopper's.
	if list := s.shop("GET", order+"/documents", nil, token).Want(200); list.String("data.0.id") != invoice.String("id") {
		t.Errorf("the shopper's: %s", list.Body)
	}
	if file := s.shop("GET", order+document+"/pdf", nil, token).Want(200); string(file.Body) != string(printed.Body) {
		t.Error("the shopper's is another")
	}
	_, foreign := s.cart(1)
	s.shop("GET", order+"/documents", nil, foreign).WantProblem(404, "not_found")
	s.shop("GET", order+document+"/pdf", nil, foreign).WantProblem(404, "not_found")
	s.shop("GET", order+document+"/pdf", nil).WantProblem(401, "invalid_customer_token")

	// Who may not, and who is of another store.
	reader := s.Scoped(s.Ctx, "products:read")
	for _, path := range []string{"/v1/documents", "/v1" + document, "/v1" + document + "/pdf", "/v1" + order + "/packing-slip", "/v1/packing-slips?order_id=" + id, "/v1/invoicing"} {
		s.Do(t, reader, "GET", path, nil).WantProblem(403, "missing_permission")
		s.Do(t, "", "GET", path, nil).WantProblem(401, "missing_credential")
	}
	other := newSelling(t)
	for _, path := range []string{document, document + "/pdf", order + "/packing-slip", "/packing-slips?order_id=" + id} {
		other.admin("GET", path, nil).WantProblem(404, "not_found")
	}
	other.admin("POST", order+"/invoice", nil).WantProblem(404, "not_found")
	s.admin("GET", "/documents/doc_1/pdf", nil).WantProblem(404, "not_found")
}
