import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.Base64;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * Take the gateway's replies, with Java 11 or newer and nothing else.
 * Usage: java Receive.java PORT SECRET_FILE
 * Prints each genuine reply once. In earnest the ids are kept in a table with a unique key, and the
 * status is answered once the reply is stored.
 */
public class Receive {
    static boolean isGenuine(String secret, String id, String timestamp, byte[] body, String header)
            throws Exception {
        if (!timestamp.matches("[0-9]{1,11}")) {
            return false;
        }
        long age = System.currentTimeMillis() / 1000 - Long.parseLong(timestamp);
        if (Math.abs(age) > 300) {
            return false;
        }
        Mac mac = Mac.getInstance("HmacSHA256");
        byte[] key = Base64.getDecoder().decode(secret.replaceFirst("^whsec_", ""));
        mac.init(new SecretKeySpec(key, "HmacSHA256"));
        mac.update((id + "." + timestamp + ".").getBytes(StandardCharsets.UTF_8));
        String expected = "v1," + Base64.getEncoder().encodeToString(mac.doFinal(body));
        boolean genuine = false;
        for (String given : header.split(" ")) {
            // Compared in constant time; several signatures may stand there.
            genuine |= MessageDigest.isEqual(
                expected.getBytes(StandardCharsets.UTF_8), given.getBytes(StandardCharsets.UTF_8));
        }
        return genuine;
    }

    static String header(HttpExchange exchange, String name) {
        String value = exchange.getRequestHeaders().getFirst(name);
        return value == null ? "" : value;
    }

    public static void main(String[] args) throws Exception {
        String secret = Files.readString(Path.of(args[1])).trim();
        Set<String> seen = ConcurrentHashMap.newKeySet();
        HttpServer server = HttpServer.create(
            new InetSocketAddress("127.0.0.1", Integer.parseInt(args[0])), 0);
        server.setExecutor(Executors.newFixedThreadPool(4));
        server.createContext("/", exchange -> {
            int status = 500;
            try {
                byte[] body = exchange.getRequestBody().readAllBytes();
                String id = header(exchange, "webhook-id");
                boolean genuine = isGenuine(secret, id, header(exchange, "webhook-timestamp"), body,
                    header(exchange, "webhook-signature"));
                // webhook-id is the reply's id: the same on each attempt.
                if (genuine && seen.add(id)) {
                    System.out.println(new String(body, StandardCharsets.UTF_8));
                }
                status = genuine ? 204 : 401;
            } catch (Exception error) {
                System.err.println(error);
            }
            exchange.sendResponseHeaders(status, -1);
            exchange.close();
        });
        server.start();
        System.out.println("listening on port " + args[0]);
    }
}
