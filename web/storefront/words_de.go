package storefront

// german are the shop's own texts in German.
var german = map[string]string{}
