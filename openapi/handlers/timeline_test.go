package handlers_test

import (
	"strings"
	"testing"

	"github.com/stoacommerce/stoa/platform/ids"
)

func TestTimelinesOverHTTP(t *testing.T) {
	t.Parallel()
	s := newSelling(t)
	id := s.order(2)
	path := "/orders/" + id
	sent := s.admin("POST", path+"/fulfilments", object{"tracking": object{"carrier": "DHL", "number": "JJD 1"}}, key()).Want(201)
	if got := sent.String("tracking.url"); got != "https://www.dhl.com/global-en/home/tracking.html?tracking-id=JJD%201" {
		t.Errorf("the parcel is followed at %s", got)
	}
	s.admin("POST", path+"/notes", object{"note": "She asked for a card."}).Want(204)
	s.admin("POST", path+"/refunds", object{"amount": object{"amount": 100, "currency": "EUR"}, "reason": "Late."}, key()).Want(201)

	order := s.admin("GET", path, nil).Want(200)
	labelled := s.admin("PATCH", path, object{"tags": []string{" gift ", "gift", "vip"}}, "If-Match: "+order.Header.Get("ETag")).Want(200)
	if labelled.String("tags.0") != "gift" || labelled.String("tags.1") != "vip" || labelled.Get("tags.2") != nil {
		t.Errorf("labels: %s", labelled.Body)
	}
	s.admin("PATCH", path, object{"tags": []string{}}, "If-Match: "+order.Header.Get("ETag")).WantProblem(412, "stale")
	s.admin("PATCH", path, object{"tags": []string{"  "}}).WantProblem(422, "details_invalid")
	s.admin("POST", "/field-definitions", object{"resource": "order", "key": "channel", "name": "Channel", "type": "text", "shown_in_shop": true}).WantProblem(422, "invalid_field_definition")
	s.admin("POST", "/field-definitions", object{"resource": "order", "key": "channel", "name": "Channel", "type": "text"}).Want(201)
	noted := s.admin("PATCH", path, object{"custom_fields": object{"channel": "market"}}).Want(200)
	if noted.String("custom_fields.channel") != "market" || noted.String("tags.1") != "vip" {
		t.Errorf("noted: %s", noted.Body)
	}
	s.admin("PATCH", path, object{"custom_fields": object{"channel": 1, "none": "x"}}).WantProblem(422, "details_invalid")
	other := s.order(1)
	if list := s.admin("GET", "/orders?tag=gift", nil).Want(200); list.String("data.0.id") != id || list.Get("data.1") != nil {
		t.Errorf("labelled so: %s", list.Body)
	}

	var actions, notes []string
	next := ""
	for {
		page := s.admin("GET", path+"/timeline?limit=3"+next, nil).Want(200)
		for i := range page.Get("data").([]any) {
			at := "data." + string(rune('0'+i))
			actions = append(actions, page.String(at+".action"))
			if note, ok := page.Get(at + ".note").(string); ok {
				notes = append(notes, note)
			}
			if kind := page.String(at + ".actor.kind"); kind == "" {
				t.Errorf("nobody did %s", page.String(at+".action"))
			}
		}
		if page.Get("has_more") != true {
			break
		}
		next = "&cursor=" + page.String("next_cursor")
	}
	if got, want := strings.Join(actions, " "), "order.update order.update refund.succeed refund.create order.note order.fulfil order.place payment.begin"; got != want {
		t.Errorf("the timeline is %s, want %s", got, want)
	}
	if len(notes) != 1 || notes[0] != "She asked for a card." {
		t.Errorf("notes %q", notes)
	}
	if mine := s.admin("GET", "/orders/"+other+"/timeline", nil).Want(200); strings.Contains(string(mine.Body), "card") {
		t.Error("another order's timeline has the note")
	}
	for _, unknown := range []string{"/orders/" + ids.New("ord"), "/orders/ord_1"} {
		s.admin("GET", unknown+"/timeline", nil).WantProblem(404, "not_found")
		s.admin("POST", unknown+"/notes", object{"note": "x"}).WantProblem(404, "not_found")
		s.admin("PATCH", unknown, object{"tags": []string{}}).WantProblem(404, "not_found")
	}
	newSelling(t).admin("GET", path+"/timeline", nil).WantProblem(404, "not_found")
	reader := s.Scoped(s.Ctx, "orders:read")
	s.Do(t, reader, "POST", "/v1"+path+"/notes", object{"note": "x"}).WantProblem(403, "missing_permission")
	s.Do(t, reader, "PATCH", "/v1"+path, object{"tags": []string{}}).WantProblem(403, "missing_permission")
	s.Do(t, s.Scoped(s.Ctx, "products:read"), "GET", "/v1"+path+"/timeline", nil).WantProblem(403, "missing_permission")
}
