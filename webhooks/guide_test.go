package webhooks_test

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// programs run the code of the guide: where it is kept, what stands before it, and a program
// that has it check the cases of a file and writes down what it thought of each.
var programs = map[string]struct {
	file, before, main, source string
	run                        []string
}{
	"go": {file: "receiver/verify.go", main: "main.go", run: []string{"go", "run", "."}, source: `package main

import (
	"encoding/json"
	"os"

	"example.com/guide/receiver"
)

func main() {
	var cases []struct {
		Secret, Body string
		Headers      map[string]string
	}
	raw, _ := os.ReadFile("cases.json")
	if err := json.Unmarshal(raw, &cases); err != nil {
		panic(err)
	}
	var found []bool
	for _, c := range cases {
		h := c.Headers
		found = append(found, receiver.Verify(c.Secret, h["webhook-id"], h["webhook-timestamp"], h["webhook-signature"], []byte(c.Body)))
	}
	json.NewEncoder(os.Stdout).Encode(found)
}
`},
	"ts": {file: "verify.mjs", main: "main.mjs", run: []string{"node", "main.mjs"}, source: `import { readFileSync } from 'node:fs'
import { verify } from './verify.mjs'
console.log(JSON.stringify(JSON.parse(readFileSync('cases.json', 'utf8')).map((c) => verify(c.secret, c.headers, c.body))))
`},
	"python": {file: "verify.py", main: "main.py", run: []string{"python3", "main.py"}, source: `import json
from verify import verify
print(json.dumps([verify(c["secret"], c["headers"], c["body"].encode()) for c in json.load(open("cases.json"))]))
`},
	"php": {file: "verify.php", before: "<?php\n", main: "main.php", run: []string{"php", "main.php"}, source: `<?php
require 'verify.php';
echo json_encode(array_map(fn ($c) => verify($c['secret'], $c['headers'], $c['body']), json_decode(file_get_contents('cases.json'), true)));
`},
}

// The guide's code takes a delivery that was really sent, with the secret and with the one
// before it, and nothing else.
func TestTheGuidesCodeVerifiesDeliveries(t *testing.T) {
	api, service := open(t)
	ctx := api.Platform.Store(t)
	key := api.Staff(ctx)
	r := receive(t, ok)
	endpoint, old := create(t, api, key, r.URL, "category.created")
	secret := api.Do(t, key, "POST", "/v1/webhook-endpoints/"+endpoint+"/rotate-secret", map[string]any{}).Want(200).String("secret")
	event := emit(t, api.Platform, ctx, "category.created")
	if a, made := attempt(t, api, service, ctx, key, endpoint, event, 1); !made || a.Status != 204 {
		t.Fatalf("attempt: %+v", a)
	}
	headers := map[string]string{}
	for _, name := range []string{"webhook-id", "webhook-timestamp", "webhook-signature"} {
		headers[name] = r.got[0].Header.Get(name)
	}
	with := func(name, value string) map[string]string {
		changed := map[string]string{name: value}
		for n, v := range headers {
			if n != name {
				changed[n] = v
			}
		}
		return changed
	}
	type example struct {
		Secret  string            `json:"secret"`
		Headers map[string]string `json:"headers"`
		Body    string            `json:"body"`
	}
	body := string(r.bodies[0])
	cases, err := json.Marshal([]example{
		{secret, headers, body},
		{old, headers, body},
		{"whsec_" + strings.Repeat("A", 43) + "=", headers, body},
		{secret, headers, body + " "},
		{secret, with("webhook-id", "evt_other"), body},
		{secret, with("webhook-timestamp", strconv.FormatInt(time.Now().Add(-time.Hour).Unix(), 10)), body},
		{secret, with("webhook-timestamp", "soon"), body},
		{secret, with("webhook-signature", "v1,"), body},
	})
	if err != nil {
		t.Fatal(err)
	}
	guide, err := os.ReadFile("../docs/guides/webhooks.md")
	if err != nil {
		t.Fatal(err)
	}
	for language, program := range programs {
		t.Run(language, func(t *testing.T) {
			code := regexp.MustCompile("(?s)```" + language + "\n(.*?)```").FindSubmatch(guide)
			if code == nil {
				t.Fatal("the guide has no code in this language")
			}
			folder := t.TempDir()
			for name, text := range map[string]string{
				program.file: program.before + string(code[1]), program.main: program.source, "cases.json": string(cases), "go.mod": "module example.com/guide\n",
			} {
				path := filepath.Join(folder, name)
				if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			within, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			defer cancel()
			command := exec.CommandContext(within, program.run[0], program.run[1:]...)
			command.Dir, command.Env = folder, append(os.Environ(), "GOWORK=off")
			out, err := command.CombinedOutput()
			if got := strings.ReplaceAll(strings.TrimSpace(string(out)), " ", ""); err != nil || got != "[true,true,false,false,false,false,false,false]" {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
}
