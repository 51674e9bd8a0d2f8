package handlers_test

import (
	"encoding/json"
	"testing"

	"github.com/stoacommerce/stoa/openapi/apitest"
	"github.com/stoacommerce/stoa/tenants/accounts/passkeytest"
)

// options are what a browser is asked.
func options(t *testing.T, answer *apitest.Answer) json.RawMessage {
	t.Helper()
	raw, err := json.Marshal(answer.Get("public_key"))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestAPasskeySignsIn(t *testing.T) {
	t.Parallel()
	api := newAccounts(t)
	owner := newShop()
	session := cookie(t, api.Do(t, "", "POST", "/v1/signup", owner, newKey()).Want(201))
	device := passkeytest.New(t, "https://stoa.example")
	const all = "/v1/account/passkeys"
	do := func(method, path string, body any) *apitest.Answer {
		t.Helper()
		return api.Do(t, "", method, path, body, session)
	}
	do("POST", all+"/options", object{"password": "not the password"}).WantProblem(401, "invalid_credentials")
	api.Do(t, "", "POST", all+"/options", object{"password": accountPassword}).WantProblem(401, "missing_credential")
	asked := do("POST", all+"/options", object{"password": accountPassword}).Want(200)
	made := do("POST", all, object{"token": asked.String("token"), "name": "Telephone", "credential": device.Create(options(t, asked))}).Want(201)
	do("POST", all, object{"token": asked.String("token"), "name": "Telephone", "credential": object{}}).WantProblem(401, "invalid_session")
	if made.String("name") != "Telephone" || made.Get("last_used_at") != nil {
		t.Errorf("made %s", made.Body)
	}

	sign := api.Do(t, "", "POST", "/v1/session/passkey/options", nil, apitest.ChangesNothing).Want(200)
	answer := object{"token": sign.String("token"), "credential": device.Get(options(t, sign))}
	signed := api.Do(t, "", "POST", "/v1/session/passkey", answer).Want(201)
	if signed.String("account.email") != owner["email"] {
		t.Errorf("signed in as %s", signed.Body)
	}
	api.Do(t, "", "GET", "/v1/session", nil, cookie(t, signed)).Want(200)
	api.Do(t, "", "POST", "/v1/session/passkey", answer).WantProblem(401, "invalid_session")

	key := all + "/" + made.String("id")
	if named := do("PATCH", key, object{"name": "Laptop"}).Want(200); named.String("name") != "Laptop" || named.Get("last_used_at") == nil {
		t.Errorf("renamed to %s", named.Body)
	}
	do("PATCH", key, object{"name": ""}).WantProblem(400, "invalid_request")
	if list := do("GET", all+"?limit=1", nil).Want(200); list.String("data.0.id") != made.String("id") || list.Get("has_more") != false {
		t.Errorf("listed %s", list.Body)
	}
	stranger := cookie(t, api.Do(t, "", "POST", "/v1/signup", newShop(), newKey()).Want(201))
	api.Do(t, "", "DELETE", key, nil, stranger).WantProblem(404, "not_found")
	do("DELETE", key, nil).Want(204)
	do("DELETE", key, nil).WantProblem(404, "not_found")
}
