package mail

import "testing"

func TestLetters(t *testing.T) {
	letter := NewLetter("ada@example.com", PasswordReset{URL: "https://stoa.example/reset", ValidFor: 60, IP: "203.0.113.9"})
	data, err := Decode(letter.Kind, letter.Data)
	if err != nil {
		t.Fatal(err)
	}
	if got, ok := data.(PasswordReset); !ok || got.ValidFor != 60 || letter.To != "ada@example.com" || letter.ID == "" {
		t.Errorf("%+v carries %+v", letter, data)
	}
}
