"""What a deployment needs: migrations, topics, OpenAPI documents."""
