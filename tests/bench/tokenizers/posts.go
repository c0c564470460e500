package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
)

// A post has 2 to 14 lines of the corpus, about 90 words.
const leastLines, mostLines = 2, 14

// readPosts makes n different posts of the lines of a corpus.
func readPosts(path string, n int) ([]string, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	lines := strings.Split(strings.TrimSpace(string(data)), "\n")
	rng := rand.New(rand.NewPCG(2025, 11))
	posts := make([]string, n)
	for i := range posts {
		parts := []string{fmt.Sprintf("Post %d:", i)}
		for range leastLines + rng.IntN(mostLines-leastLines+1) {
			parts = append(parts, lines[rng.IntN(len(lines))])
		}
		posts[i] = strings.Join(parts, " ")
	}
	return posts, nil
}
