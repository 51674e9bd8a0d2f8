package handlers_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stoacommerce/stoa/commerce/mailtemplates"
	"github.com/stoacommerce/stoa/migrations/testdb"
	"github.com/stoacommerce/stoa/openapi/apitest"
	"github.com/stoacommerce/stoa/openapi/handlers"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/mail"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/tenants/audit"
)

// sentTo is the letter that a store's jobs are to send to an address.
func sentTo(t *testing.T, db *postgres.DB, ctx context.Context, to string) (letter mail.Letter) {
	t.Helper()
	ref, _ := postgres.StoreFrom(ctx)
	err := db.InCell(t.Context(), ref.Cell, func(ctx context.Context, tx *postgres.Tx) error {
		return tx.QueryRow(ctx, `select args from cell.outbox where kind = $1 and args->>'to' = $2`, mail.JobSend, to).Scan(&letter)
	})
	if err != nil {
		t.Errorf("a letter to %s: %v", to, err)
	}
	return letter
}

func TestMailTemplates(t *testing.T) {
	t.Parallel()
	db, mine, given := testdb.Open(t).DB, ids.New("acc")+"@example.com", ids.New("cus")+"@example.com"
	api := apitest.New(t,
		(&handlers.MailTemplates{
			DB: db,
			Preview: func(_ context.Context, d mailtemplates.Draft) (mail.Message, error) {
				drafted := mail.Template{Locale: d.Locale, Subject: either(d.Subject), Body: either(d.Body)}
				if err := mailtemplates.Check(d.Kind, drafted); err != nil {
					return mail.Message{}, err
				}
				return drafted.Render(d.Locale, mail.Brand{Name: "Linen"}, d.Kind.Sample())
			},
			Address: func(context.Context, string) (string, error) { return mine, nil },
		}).Operations(),
		(&handlers.Orders{DB: db}).Operations(),
		(&handlers.Audit{DB: db, Log: &audit.Log{DB: db}}).Operations(),
	)
	ctx := api.Platform.Store(t)
	key := api.Staff(ctx)
	const path = "/v1/mail-templates/order_return/en"

	list := api.Do(t, key, "GET", "/v1/mail-templates?limit=2", nil).Want(200)
	next := api.Do(t, key, "GET", "/v1/mail-templates?cursor="+list.String("next_cursor"), nil).Want(200)
	if got := names(list, "kind") + " " + names(next, "kind"); got != kindsOfMail() {
		t.Errorf("kinds: %s", got)
	}
	standard := api.Do(t, key, "GET", path, nil).Want(200)
	if standard.Get("edited") != false || !strings.Contains(standard.String("body_html"), "{{#lines}}") || standard.String("default.subject") != standard.String("subject") {
		t.Errorf("as all have it: %s", standard.Body)
	}
	api.Do(t, key, "GET", path, nil, "If-None-Match: "+standard.Header.Get("ETag")).Want(304)

	edit := object{"subject": "{{number}} comes back", "body_html": "<p>Hello\n{{name}}</p>"}
	if tried := api.Do(t, key, "PATCH", path+"?dry_run=true", edit).Want(200); tried.Get("edited") != true {
		t.Errorf("tried: %s", tried.Body)
	}
	edited := api.Do(t, key, "PATCH", path, edit, "If-Match: "+standard.Header.Get("ETag")).Want(200)
	if edited.Get("edited") != true || edited.String("subject") != "{{number}} comes back" || edited.Get("updated_at") == nil || edited.String("default.subject") != standard.String("subject") {
		t.Errorf("edited: %s", edited.Body)
	}
	api.Do(t, key, "PATCH", path, edit, "If-Match: "+standard.Header.Get("ETag")).WantProblem(412, "stale")
	refused(t, api.Do(t, key, "PATCH", path, object{"subject": "{{#x}}", "body_html": "<p>{{name}</p>"}).WantProblem(422, "invalid_template"),
		"/subject unknown_variable", "/subject syntax", "/body_html syntax")
	refused(t, api.Do(t, key, "PATCH", "/v1/mail-templates/password_reset/en", object{"body_html": "<p>{{#ip}}{{url}}{{/ip}}</p>"}).WantProblem(422, "invalid_template"), "/body_html required_variable")

	preview := api.Do(t, key, "POST", path+"/preview", object{"subject": "{{number}}!", "body_html": "<p>Hello {{name}}</p>"}, apitest.ChangesNothing).Want(200)
	if preview.String("subject") != "#1001!" || !strings.Contains(preview.String("html"), "<p>Hello Ada</p>") || !strings.Contains(preview.String("text"), "Hello Ada\n") {
		t.Errorf("preview: %s", preview.Body)
	}
	api.Do(t, key, "POST", path+"/preview", object{"subject": "{{nothing}}"}).WantProblem(422, "invalid_template")
	api.Do(t, api.Scoped(ctx, "settings:write"), "POST", path+"/preview", object{"order_id": ids.New("ord")}).WantProblem(403, "missing_permission")

	api.Do(t, key, "POST", path+"/test?dry_run=true", object{"to": given}).Want(202)
	api.Do(t, key, "POST", path+"/test", object{"to": given}).Want(202)
	api.Do(t, api.Owner(ctx), "POST", path+"/test", object{}).Want(202)
	api.Do(t, key, "POST", path+"/test", object{}).WantProblem(422, "details_invalid")
	for _, to := range []string{given, mine} {
		if letter := sentTo(t, db, ctx, to); !letter.Test || letter.Locale != "en" || letter.Kind != mail.KindOrderReturn {
			t.Errorf("sent %+v", letter)
		}
	}

	// What was edited is taken back from the audit, and what was taken back is brought back.
	undo := func() {
		t.Helper()
		last := api.Do(t, key, "GET", "/v1/audit?limit=1&action=mail_template.update", nil).Want(200)
		api.Do(t, key, "POST", "/v1/audit/"+last.String("data.0.id")+"/undo", nil).Want(200)
	}
	undo()
	if got := api.Do(t, key, "GET", path, nil).Want(200); got.Get("edited") != false || got.String("subject") != standard.String("subject") {
		t.Errorf("taken back: %s", got.Body)
	}
	undo()
	api.Do(t, key, "DELETE", path, nil).Want(204)
	if got := api.Do(t, key, "GET", path, nil).Want(200); got.Get("edited") != false {
		t.Errorf("reset: %s", got.Body)
	}
	undo()
	if got := api.Do(t, key, "GET", path, nil).Want(200); got.String("subject") != "{{number}} comes back" {
		t.Errorf("brought back: %s", got.Body)
	}
	was := api.Do(t, key, "GET", "/v1/audit-records/order_return?locale=en&at=2026-01-01T00:00:00Z", nil).Want(200)
	if was.String("resource_kind") != "mail_template" || was.Get("record.subject") != nil || was.Get("changes") != 5.0 {
		t.Errorf("as it was: %s", was.Body)
	}

	for _, wrong := range []string{"/v1/mail-templates/totp_changed/en", "/v1/mail-templates/pigeon/en"} {
		api.Do(t, key, "GET", wrong, nil).WantProblem(404, "not_found")
		api.Do(t, key, "PATCH", wrong, object{"subject": "x"}).WantProblem(404, "not_found")
		api.Do(t, key, "POST", wrong+"/preview", object{}).WantProblem(404, "not_found")
		api.Do(t, key, "POST", wrong+"/test", object{"to": "ada@example.com"}).WantProblem(404, "not_found")
	}
	api.Do(t, key, "GET", "/v1/mail-templates/order_return/de", nil).WantProblem(422, "unknown_locale")
	api.Do(t, key, "PATCH", path, object{}).WantProblem(400, "invalid_request")
	for method, at := range map[string]string{"PATCH": path, "DELETE": path} {
		api.Do(t, api.Scoped(ctx, "settings:read"), method, at, object{"subject": "x"}).WantProblem(403, "missing_permission")
	}
	other := api.Do(t, api.Staff(api.Platform.Store(t)), "GET", path, nil).Want(200)
	if other.Get("edited") != false {
		t.Errorf("of another store: %s", other.Body)
	}
}

func either(text *string) string {
	if text == nil {
		return "x"
	}
	return *text
}

func kindsOfMail() string {
	var all []string
	for _, kind := range mail.OfStores() {
		all = append(all, string(kind))
	}
	return strings.Join(all, " ")
}
