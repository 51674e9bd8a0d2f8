package app_test

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"maps"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/stoacommerce/stoa/app/apptest"
	"github.com/stoacommerce/stoa/openapi/flows"
	"github.com/stoacommerce/stoa/platform/ids"
)

// catalogue is a small catalogue as Shopify writes it.
const catalogue = `Handle,Title,Body (HTML),Vendor,Tags,Published,Option1 Name,Option1 Value,Variant SKU,Variant Inventory Qty,Variant Price,Status
linen-towel,Linen towel,<p>Soft.</p>,Example Mill,"bath, linen",true,Size,S,LT-S,4,12.00,active
linen-towel,,,,,,,M,LT-M,3,15.00,
linen-sheet,Linen sheet,<p>Wide.</p>,Example Mill,bed,true,Title,Default Title,SH-1,2,89.00,active
`

func picture(t *testing.T) []byte {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, 64, 48))
	for x := range 64 {
		img.Set(x, x/2, color.RGBA{R: 200, A: 255})
	}
	var file bytes.Buffer
	if err := png.Encode(&file, img); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

func flowsFile(t *testing.T) []byte {
	t.Helper()
	text, err := os.ReadFile("../openapi/flows.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestFlows goes every way that openapi/flows.yaml tells, each in a store of its own.
func TestFlows(t *testing.T) {
	doc, err := flows.Parse(flowsFile(t))
	if err != nil {
		t.Fatal(err)
	}
	p := apptest.Start(t, nil)
	receiver := apptest.NewReceiver(t)
	given := map[string]any{
		"password": "seven purple lanterns at dusk", "picture": picture(t), "catalogue": catalogue,
		"receiver_url": receiver.URL, "operator_key": p.OperatorKey("support"),
	}
	var writes witness
	for _, flow := range doc.Workflows {
		t.Run(flow.ID, func(t *testing.T) {
			// Who opens so many stores from one address is asked to wait.
			elsewhere := http.Header{"X-Forwarded-For": {anywhere()}}
			runner := &flows.Runner{Document: doc, Probe: p.Probe, FromMail: p.MailParameter, Header: elsewhere, Told: writes.saw, Tries: true}
			inputs := maps.Clone(given)
			inputs["run"] = run()
			inputs["guest_email"] = "guest-" + run() + "@example.com"
			inputs["other_email"] = "other-" + run() + "@example.com"
			if _, has := flow.Inputs.Properties["store_id"]; has || flow.Inputs.Properties["secret_key"].Type+flow.Inputs.Properties["live_secret_key"].Type != "" {
				opening := maps.Clone(inputs)
				opening["run"] = run()
				store, err := runner.Run(t.Context(), "openStore", opening)
				if err != nil {
					t.Fatal(err)
				}
				maps.Copy(inputs, store)
			}
			outputs, err := runner.Run(t.Context(), flow.ID, inputs)
			if err != nil {
				t.Fatal(err)
			}
			if flow.ID == "deliverWebhook" {
				verified(t, receiver, outputs)
			}
		})
	}
	writes.check(t, p)
	writes.audited(t, p)
}

// run is a name that no other run has.
func run() string {
	id := ids.New("run")
	return id[len(id)-10:]
}

// verified checks that both events have come to the receiver, signed.
func verified(t *testing.T, receiver *apptest.Receiver, outputs map[string]any) {
	t.Helper()
	secret := outputs["secret"].(string)
	for _, name := range []string{"test_event_id", "event_id"} {
		apptest.Eventually(t, 20*time.Second, name, func() bool { return receiver.Delivered(outputs[name].(string)) })
	}
	for _, delivery := range receiver.Deliveries() {
		if err := delivery.Verify(secret); err != nil {
			t.Error(err)
		}
	}
}
