// Package configs embeds the configuration that every study starts from.
package configs

import _ "embed"

// Space is the file space.yaml: the whole search space.
//
//go:embed space.yaml
var Space []byte
