// The AWS SDK for Go v2 as a program, so that the tests can drive it as they drive other programs.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/feature/s3/manager"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

func main() {
	ctx := context.Background()
	// set-up of aws-sdk-go-v2
	settings, err := config.LoadDefaultConfig(ctx) // AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION, AWS_ENDPOINT_URL
	client := s3.NewFromConfig(settings, func(options *s3.Options) { options.UsePathStyle = true })
	// end of the set-up
	check(err)
	switch arg(1) {
	case "put":
		file, err := os.Open(arg(2))
		check(err)
		uploader := manager.NewUploader(client, func(u *manager.Uploader) { u.PartSize = 5 << 20 })
		_, err = uploader.Upload(ctx, &s3.PutObjectInput{Bucket: aws.String(arg(3)), Key: aws.String(arg(4)), Body: file})
		check(err)
	case "get":
		answer, err := client.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String(arg(2)), Key: aws.String(arg(3))})
		check(err)
		file, err := os.Create(arg(4))
		check(err)
		_, err = io.Copy(file, answer.Body)
		check(err)
		check(file.Close())
	case "list":
		pages := s3.NewListObjectsV2Paginator(client, &s3.ListObjectsV2Input{
			Bucket: aws.String(arg(2)), Prefix: aws.String(arg(3)), MaxKeys: aws.Int32(2),
		})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			check(err)
			for _, object := range page.Contents {
				fmt.Println(*object.Key)
			}
		}
	case "copy":
		_, err := client.CopyObject(ctx, &s3.CopyObjectInput{
			CopySource: aws.String(arg(2) + "/" + arg(3)), Bucket: aws.String(arg(4)), Key: aws.String(arg(5)),
		})
		check(err)
	case "presign":
		link, err := s3.NewPresignClient(client).PresignGetObject(ctx, &s3.GetObjectInput{
			Bucket: aws.String(arg(2)), Key: aws.String(arg(3)),
		})
		check(err)
		fmt.Println(link.URL)
	case "delete":
		_, err := client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: aws.String(arg(2)), Key: aws.String(arg(3))})
		check(err)
	default:
		check(fmt.Errorf("what is %s?", strings.Join(os.Args, " ")))
	}
}

func arg(number int) string {
	if number >= len(os.Args) {
		return ""
	}
	return os.Args[number]
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
